import type { Host } from "../host/types.ts";
import { adviceOn } from "../openvpn/advice.ts";
import { deviceOfLane } from "../plan/numbers.ts";
import type { Log } from "../process/log.ts";
import { carries, type Health, nextHealth, probeInterval } from "./health.ts";
import { RateMeter } from "./counters.ts";
import type { LaneCompany } from "./lane-company.ts";
import { LaneProbe, type ProbeIdentity } from "./lane-probe.ts";
import { LaneTraffic } from "./lane-traffic.ts";
import { LaneTunnel } from "./lane-tunnel.ts";
import { LaneWindows } from "./lane-windows.ts";
import { DEFAULT_MTU } from "./mtu.ts";
import { type HomePlan, type LaneSnapshot, laneAddress, type Membership, type NumberedGateway, serviceAddress } from "./plan.ts";
import { poorReason } from "./poor.ts";
import { steadyDelay } from "./steady-delay.ts";

/** Time that OpenVPN is given to be asked again after it was made to reconnect (ms). */
const NUDGE_EVERY = 20_000;
/**
 * Silence (ms) after which an OpenVPN that believes to be connected is made to connect anew: its session is gone at the relay, or the way
 * there changed. Early when no lane is heard, which a relay that was restarted explains; late when others are, which a dead line does:
 * an OpenVPN that keeps its session carries at once when the line is back.
 */
const NUDGE_ALONE = 1_500;
const NUDGE_AMONG = 20_000;
/** A lane whose OpenVPN could not be set up is tried again after so long (ms). */
const RETRY = 5_000;
/** A silent lane is sent large probes for so long (ms). */
const SEARCH_FOR = 60_000;
/** A lane whose probe is older than this (ms) without an answer is doubtful, if it should have been answered. */
const DOUBT_LEAST = 40;

/** One gateway's lane at home: its tunnel and its probes, and what it is known to be. */
export class Lane {
  /** What it carries. */
  readonly meter = new RateMeter();
  readonly windows = new LaneWindows();
  readonly probe: LaneProbe;
  readonly #host: Host;
  readonly #tunnel: LaneTunnel;
  readonly #traffic = new LaneTraffic();
  readonly #log: Log;
  readonly #company: LaneCompany;
  readonly #stop = new AbortController();
  #gateway: NumberedGateway;
  #health: Health;
  #lastNudge = Number.NEGATIVE_INFINITY;
  #cutOff = "";
  /** Its server was started after OpenVPN connected to it, and knows nothing of that. */
  #orphaned = false;
  #delay: number | undefined;
  #poorSince: number | undefined;

  /** `adopted`: the MTU of its device, if a former daemon left it live. */
  constructor(
    host: Host,
    gateway: NumberedGateway,
    membership: Membership,
    identity: ProbeIdentity,
    log: Log,
    adopted: number | undefined,
    company: LaneCompany,
  ) {
    this.#host = host;
    this.#gateway = gateway;
    this.#log = log;
    this.#company = company;
    this.#tunnel = new LaneTunnel(host, {
      number: gateway.number,
      carries: () => carries(this.#health.state),
      onConnected: () => {
        this.#orphaned = false;
        this.probe.lastSent = Number.NEGATIVE_INFINITY;
        company.onNews();
      },
    });
    const since = host.clock.monotonic();
    this.#health =
      adopted === undefined ? { state: "starting", since, reason: "connecting", flaps: 0 } : { state: "up", since, reason: "", flaps: 0 };
    this.probe = new LaneProbe(host, identity, {
      lane: gateway.number,
      address: laneAddress(membership, gateway.number),
      service: serviceAddress(membership),
      mtu: gateway.section.mtu ?? DEFAULT_MTU,
      window: () => this.windows.down,
      loaded: () => carries(this.#health.state) && this.#traffic.isBusy(host.clock.monotonic()),
      dead: () => this.#health.state === "suspect" || this.#health.state === "down",
      onRestarted: (lanes) => {
        company.onRestarted(lanes);
      },
      onHeard: () => {
        this.#orphaned = false;
        this.observe();
      },
    });
    if (adopted !== undefined) this.probe.search = { mtu: adopted, tries: 0, proven: true };
  }

  get gateway(): NumberedGateway {
    return this.#gateway;
  }

  get device(): string {
    return deviceOfLane(this.gateway.number);
  }

  /** What its OpenVPN runs under in process/. */
  get processName(): string {
    return this.#tunnel.processName;
  }

  get health(): Health {
    return this.#health;
  }

  get lastError(): string {
    return this.#tunnel.lastError;
  }

  get advice(): string {
    return carries(this.#health.state) ? "" : adviceOn(this.lastError || this.#health.reason);
  }

  get snapshot(): LaneSnapshot {
    this.#delay = steadyDelay(this.#delay, this.probe.roundTrip?.smoothed);
    return {
      number: this.gateway.number,
      live: carries(this.#health.state),
      late: carries(this.#health.state) && this.#isLate(this.#host.clock.monotonic()),
      poor: this.#poorSince !== undefined,
      mtu: this.probe.search.mtu,
      window: this.windows.up,
      delay: this.#delay,
      usual: Number.isFinite(this.probe.usual.usual) ? this.probe.usual.usual : undefined,
      most: this.windows.mostDown,
    };
  }

  /** It carries, and may cease to: it would drag the others, or does not answer. */
  get mayFall(): boolean {
    const { late, live, poor } = this.snapshot;
    return live && (late || poor);
  }

  #isLate(now: number): boolean {
    return this.doubtful || this.#traffic.pauses(now);
  }

  /** Runs OpenVPN and listens to it until {@link leave}, or the signal. */
  async run(plan: HomePlan, membership: Membership, ciphers: readonly string[], signal: AbortSignal): Promise<void> {
    const onAbort = (): void => {
      this.#stop.abort(signal.reason);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      await this.#begin(plan, membership, ciphers);
      await this.#tunnel.run(this.#stop.signal);
    } finally {
      signal.removeEventListener("abort", onAbort);
      this.probe.close();
    }
  }

  /** What it needs may not be to be had at the first try: a disk is full, no process can be started. */
  async #begin(plan: HomePlan, membership: Membership, ciphers: readonly string[]): Promise<void> {
    for (;;) {
      try {
        await this.#tunnel.configure(plan, membership, ciphers);
        return;
      } catch (error) {
        this.#stop.signal.throwIfAborted();
        const words = error instanceof Error ? error.message : String(error);
        this.#log.write("error", `gateway '${this.gateway.section.name}': ${words}`);
        await this.#host.clock.sleep(RETRY, this.#stop.signal);
      }
    }
  }

  /** Stops watching; OpenVPN goes on. */
  leave(): void {
    this.#stop.abort(new Error("the daemon leaves"));
  }

  /** Counters of the lane's device, bytes. What came in is as good as an answer; what went out makes it loaded. */
  count(received: number, sent: number): void {
    const now = this.#host.clock.monotonic();
    if (this.#traffic.count(now, received, sent, this.probe.sentBytes)) this.probe.heard(now);
    this.observe();
  }

  /** Whether what goes by it should be watched closely. */
  get loaded(): boolean {
    return this.#traffic.isBusy(this.#host.clock.monotonic());
  }

  /** Whether a probe of it should have been answered by now. */
  get doubtful(): boolean {
    const { unansweredSince, roundTrip } = this.probe;
    if (unansweredSince === undefined) return false;
    return this.#host.clock.monotonic() - unansweredSince > Math.max(DOUBT_LEAST, roundTrip?.smoothed ?? 0);
  }

  /** Says why nothing can leave by the gateway's interface; empty if it can. */
  cutOff(reason: string): void {
    if (reason === this.#cutOff) return;
    this.#cutOff = reason;
    this.observe();
  }

  /** Judges the lane by what is known now. */
  observe(): void {
    const { probe } = this;
    const now = this.#host.clock.monotonic();
    const poor = poorReason(this.#health.state, probe.losses, probe.usual);
    if ((poor === "") !== (this.#poorSince === undefined)) {
      this.#poorSince = poor === "" ? undefined : now;
      this.#company.onNews();
    }
    const next = nextHealth(this.#health, {
      now,
      wanted: this.#company.wants(this.gateway.number),
      lastHeard: probe.lastHeard,
      unansweredSince: probe.unansweredSince,
      unanswered: probe.unanswered,
      unechoedSince: probe.unechoedSince,
      pausedFor: this.#traffic.pausedFor(now),
      roundTrip: probe.roundTrip,
      fullSizePasses: probe.search.proven,
      poor,
      poorSince: this.#poorSince,
      dependedOn: this.#company.dependedOn(this.gateway.number),
      anotherFell: this.#company.anotherFell(this.gateway.number),
      lateness: this.#company.lateness(),
      othersHeard: this.#company.othersHeard(this.gateway.number),
      cutOff: this.#cutOff,
      complaint: this.lastError,
    });
    if (next === this.#health) return;
    const before = this.#health.state;
    this.#health = next;
    if (next.state === before) return;
    if (next.state === "down") probe.restartSearch();
    if (next.state === "down" || next.state === "suspect") probe.losses.excuse();
    if (next.state === "up") this.#tunnel.forgetError();
    const changed = carries(next.state) !== carries(before);
    // What was measured while it came up says little.
    if (changed && next.state === "up") this.#traffic.beBusy(this.#host.clock.monotonic());
    this.#tell(before);
    if (changed) this.#company.onChange(this.gateway.number);
  }

  #tell(before: string): void {
    const { state, reason } = this.#health;
    const usual = before === "starting" || state === "standby" ? "info" : "warning";
    this.#log.write(
      state === "up" ? "info" : usual,
      `gateway '${this.gateway.section.name}': ${state}${reason === "" ? "" : ` (${reason})`}`,
    );
  }

  /** Sends the probe that is due, if one is; answers the milliseconds until the next. `alarm`: some lane is doubtful. */
  async tick(alarm: boolean): Promise<number> {
    const now = this.#host.clock.monotonic();
    const interval = probeInterval({
      state: this.#health.state,
      lasted: now - this.#health.since,
      loaded: this.#traffic.isBusy(now),
      doubtful: alarm || this.#traffic.asked,
      late: this.#isLate(now),
      roundTrip: this.probe.roundTrip,
    });
    const due = this.probe.lastSent + interval - now;
    if (due > 0) return due;
    await this.probe.send("small");
    if (this.#searches(now)) await this.probe.send("full");
    await this.#nudge(now);
    return interval;
  }

  /** Whether the largest packet is to be found. A lane that stays silent is not asked that for ever: large probes cost its donor. */
  #searches(now: number): boolean {
    if (carries(this.#health.state) || this.probe.search.proven) return false;
    return now - this.#health.since < SEARCH_FOR || (this.probe.lastHeard ?? Number.NEGATIVE_INFINITY) > this.#health.since;
  }

  /** Its server at the relay was started just now: unless the lane is heard again, its session is gone. */
  serverIsNew(): void {
    this.#orphaned = true;
  }

  /** Makes an OpenVPN connect anew that has been silent for too long. */
  async #nudge(now: number): Promise<void> {
    const { unansweredSince } = this.probe;
    if (unansweredSince === undefined || !this.#tunnel.connected) return;
    if (this.#orphaned && this.doubtful) {
      this.#orphaned = false;
      this.#lastNudge = now;
      await this.#tunnel.reconnect();
      return;
    }
    if (now - this.#lastNudge < NUDGE_EVERY) return;
    const others = this.#company.othersHeard(this.gateway.number) ?? Number.NEGATIVE_INFINITY;
    if (now - unansweredSince < (others > unansweredSince ? NUDGE_AMONG : NUDGE_ALONE)) return;
    this.#lastNudge = now;
    await this.#tunnel.reconnect();
  }

  /** Takes up a gateway of the same number with other options; its OpenVPN is started anew if what it needs, or a key, is not what it was. */
  async configure(gateway: NumberedGateway, plan: HomePlan, membership: Membership, ciphers: readonly string[]): Promise<void> {
    this.#gateway = gateway;
    await this.#tunnel.configure(plan, membership, ciphers);
  }

  /** To be called when its device may have been made anew. */
  async followDevice(): Promise<void> {
    await this.#tunnel.followDevice();
  }
}
