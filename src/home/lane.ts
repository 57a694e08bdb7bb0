import type { Host } from "../host/types.ts";
import { adviceOn } from "../openvpn/advice.ts";
import { deviceOfLane } from "../plan/numbers.ts";
import type { Log } from "../process/log.ts";
import { carries, type Health, nextHealth, probeInterval } from "./health.ts";
import { LaneProbe, type ProbeIdentity } from "./lane-probe.ts";
import { LaneTraffic } from "./lane-traffic.ts";
import { LaneTunnel } from "./lane-tunnel.ts";
import { DEFAULT_MTU } from "./mtu.ts";
import { type HomePlan, type LaneSnapshot, laneAddress, type Membership, type NumberedGateway, serviceAddress } from "./plan.ts";
import { steadyDelay } from "./steady-delay.ts";

/** Time that OpenVPN is given to be asked again after it was made to reconnect (ms). */
const NUDGE_EVERY = 10_000;
/** A lane down this long (ms), while its OpenVPN believes to be connected, has a session that the relay forgot. */
const NUDGE_AFTER = 3_000;

/** One gateway's lane at home: its tunnel and its probes, and what it is known to be. */
export class Lane {
  readonly gateway: NumberedGateway;
  readonly probe: LaneProbe;
  readonly #host: Host;
  readonly #tunnel: LaneTunnel;
  readonly #traffic = new LaneTraffic();
  readonly #log: Log;
  readonly #onChange: () => void;
  readonly #stop = new AbortController();
  #health: Health;
  #lastNudge = 0;
  #delay: number | undefined;
  #probes = 0;

  /** `adopted`: the MTU of its device, if a former daemon left it live. */
  constructor(
    host: Host,
    gateway: NumberedGateway,
    membership: Membership,
    identity: ProbeIdentity,
    log: Log,
    adopted: number | undefined,
    onChange: () => void,
  ) {
    this.#host = host;
    this.gateway = gateway;
    this.#log = log;
    this.#onChange = onChange;
    this.#tunnel = new LaneTunnel(host, {
      number: gateway.number,
      carries: () => carries(this.#health.state),
      onConnected: () => {
        this.probe.lastSent = Number.NEGATIVE_INFINITY;
        onChange();
      },
    });
    const since = host.clock.monotonic();
    this.#health = adopted === undefined ? { state: "starting", since, reason: "connecting" } : { state: "up", since, reason: "" };
    this.probe = new LaneProbe(host, identity, {
      lane: gateway.number,
      address: laneAddress(membership, gateway.number),
      service: serviceAddress(membership),
      mtu: gateway.section.mtu ?? DEFAULT_MTU,
      onHeard: () => {
        this.observe();
      },
    });
    if (adopted !== undefined) this.probe.search = { mtu: adopted, tries: 0, proven: true };
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
      mtu: this.probe.search.mtu,
      delay: this.#delay,
    };
  }

  /** Runs OpenVPN and listens to it until {@link leave}, or the signal. */
  async run(plan: HomePlan, membership: Membership, ciphers: readonly string[], signal: AbortSignal): Promise<void> {
    const onAbort = (): void => {
      this.#stop.abort(signal.reason);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      await this.configure(plan, membership, ciphers);
      await this.#tunnel.run(this.#stop.signal);
    } finally {
      signal.removeEventListener("abort", onAbort);
      this.probe.close();
    }
  }

  /** Stops watching; OpenVPN goes on. */
  leave(): void {
    this.#stop.abort(new Error("the daemon leaves"));
  }

  /** Counters of the lane's device, bytes. What came in is as good as an answer; what went out makes it loaded. */
  count(received: number, sent: number): void {
    const now = this.#host.clock.monotonic();
    if (this.#traffic.count(now, received, sent)) this.probe.heard(now);
    this.observe();
  }

  /** Judges the lane by what is known now. */
  observe(): void {
    const { probe } = this;
    const next = nextHealth(this.#health, {
      now: this.#host.clock.monotonic(),
      lastHeard: probe.lastHeard,
      unansweredSince: probe.unansweredSince,
      unanswered: probe.unanswered,
      roundTrip: probe.roundTrip,
      fullSizePasses: probe.search.proven,
      complaint: this.lastError,
    });
    if (next === this.#health) return;
    const changed = carries(next.state) !== carries(this.#health.state);
    if (next.state === "down" && this.#health.state !== "down") probe.restartSearch();
    if (next.state === "up") this.#tunnel.forgetError();
    // What was measured while it came up says little.
    if (changed && next.state === "up") this.#traffic.beBusy(this.#host.clock.monotonic());
    const before = this.#health.state;
    this.#health = next;
    if (next.state !== before) this.#tell(before);
    if (changed) this.#onChange();
  }

  #tell(before: string): void {
    const { state, reason } = this.#health;
    const level = state === "suspect" || before === "suspect" ? "debug" : "info";
    this.#log.write(
      state === "down" ? "warning" : level,
      `gateway '${this.gateway.section.name}': ${state}${reason === "" ? "" : ` (${reason})`}`,
    );
  }

  /** Sends the probe that is due, if one is; answers the milliseconds until the next. */
  async tick(): Promise<number> {
    const now = this.#host.clock.monotonic();
    const interval = probeInterval(this.#health.state, this.#traffic.isBusy(now), this.probe.roundTrip);
    const due = this.probe.lastSent + interval - now;
    if (due > 0) return due;
    this.#probes += 1;
    const searching = !carries(this.#health.state) && this.#probes % 2 === 0;
    await this.probe.send(searching ? "full" : "small");
    await this.#nudge(now);
    return interval;
  }

  /** OpenVPN believes to be connected, and nothing comes back: its session is gone at the relay, or the way there changed. */
  async #nudge(now: number): Promise<void> {
    if (carries(this.#health.state) || !this.#tunnel.connected) return;
    if (now - this.#health.since < NUDGE_AFTER || now - this.#lastNudge < NUDGE_EVERY) return;
    this.#lastNudge = now;
    await this.#tunnel.reconnect();
  }

  /** Says what its OpenVPN is to be started with; it is started anew if that, or a key, is not what it was. */
  async configure(plan: HomePlan, membership: Membership, ciphers: readonly string[]): Promise<void> {
    await this.#tunnel.configure(plan, membership, ciphers);
  }

  /** To be called when its device may have been made anew. */
  async followDevice(): Promise<void> {
    await this.#tunnel.followDevice();
  }
}
