import type { Host } from "../host/types.ts";
import { deviceIndex } from "../kernel/device-index.ts";
import { adviceOn, explainDetail } from "../openvpn/advice.ts";
import { LastError } from "../openvpn/last-error.ts";
import { clientConfig } from "../openvpn/client-config.ts";
import { ManagementClient, type ManagementEvent } from "../openvpn/management.ts";
import { deviceOfLane, portOfLane } from "../plan/numbers.ts";
import type { Log } from "../process/log.ts";
import type { ProcessSpecification } from "../process/record.ts";
import { LOG_DIRECTORY, Supervisor } from "../process/supervisor.ts";
import { carries, type Health, nextHealth, probeInterval } from "./health.ts";
import { LaneProbe, type ProbeIdentity } from "./lane-probe.ts";
import { keysChecksum, relayFolder } from "../invite/folder.ts";
import { DEFAULT_MTU } from "./mtu.ts";
import { steadyDelay } from "./steady-delay.ts";
import {
  aliasOfGateway,
  type HomePlan,
  type LaneSnapshot,
  laneAddress,
  type Membership,
  type NumberedGateway,
  serviceAddress,
} from "./plan.ts";

/** Bytes a second out by the lane that are more than its own probes: it is loaded, and stays so for a while (ms), until its delay alone is known. */
const BUSY = 2_000;
const BUSY_FOR = 5_000;
/** Time that OpenVPN is given to be asked again after it was made to reconnect (ms). */
const NUDGE_EVERY = 10_000;
/** A lane down this long (ms), while its OpenVPN believes to be connected, has a session that the relay forgot. */
const NUDGE_AFTER = 3_000;

/** One gateway's lane at home: its OpenVPN, its probes, and what it is known to be. */
export class Lane {
  readonly gateway: NumberedGateway;
  readonly probe: LaneProbe;
  readonly #host: Host;
  readonly #supervisor: Supervisor;
  readonly #management: ManagementClient;
  readonly #log: Log;
  readonly #onChange: () => void;
  readonly #stop = new AbortController();
  #health: Health;
  #tunnel = "";
  readonly #lastError = new LastError();
  #received = -1;
  #sent = -1;
  #counted = 0;
  #busyUntil = 0;
  #lastNudge = 0;
  #delay: number | undefined;
  #probes = 0;
  /** What OpenVPN is started with; undefined before the first {@link run}. */
  #program: Omit<ProcessSpecification, "revision"> | undefined;
  #text = "";

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
    this.#supervisor = new Supervisor(host, this.processName);
    this.#management = new ManagementClient(host, managementPath(gateway.number), (event) => {
      this.#hear(event);
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
    return `lane-${this.gateway.number}`;
  }

  get health(): Health {
    return this.#health;
  }

  get lastError(): string {
    if (this.#lastError.text !== "") return this.#lastError.text;
    // An OpenVPN that ends at its start never gets to talk: what it wrote last is in its log.
    return this.#supervisor.lastWords.filter((line) => line !== "" && !/^Exiting due to fatal error/.test(line)).at(-1) ?? "";
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

  /** Runs OpenVPN and listens to it until {@link leave} or {@link end}, or the signal. */
  async run(plan: HomePlan, membership: Membership, ciphers: readonly string[], signal: AbortSignal): Promise<void> {
    const onAbort = (): void => {
      this.#stop.abort(signal.reason);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      await this.configure(plan, membership, ciphers);
      await Promise.all([this.#supervisor.supervise(this.#stop.signal), this.#management.run(this.#stop.signal)]);
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
    if (this.#received >= 0 && received > this.#received) this.probe.heard(now);
    const busy = this.#sent >= 0 && sent - this.#sent > BUSY * Math.max(0.05, (now - this.#counted) / 1_000);
    if (busy) this.#busyUntil = now + BUSY_FOR;
    this.#received = received;
    this.#sent = sent;
    this.#counted = now;
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
    if (next.state === "up") this.#lastError.clear();
    // What was measured while it came up says little.
    if (changed && next.state === "up") this.#busyUntil = this.#host.clock.monotonic() + BUSY_FOR;
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
    const interval = probeInterval(this.#health.state, now < this.#busyUntil, this.probe.roundTrip);
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
    if (carries(this.#health.state) || this.#tunnel !== "CONNECTED") return;
    if (now - this.#health.since < NUDGE_AFTER || now - this.#lastNudge < NUDGE_EVERY) return;
    this.#lastNudge = now;
    await this.#management.send("signal SIGUSR1");
  }

  /** Says what OpenVPN is to be started with; it is started anew if that, or a key, is not what it was. */
  async configure(plan: HomePlan, membership: Membership, ciphers: readonly string[]): Promise<void> {
    const { number } = this.gateway;
    const text = clientConfig({
      device: deviceOfLane(number),
      alias: aliasOfGateway(plan, number),
      addresses: membership.addresses,
      port: portOfLane(membership.port, number),
      mtu: DEFAULT_MTU,
      ciphers,
      keys: relayFolder(membership.relay).directory,
      management: managementPath(number),
    });
    const path = `/run/binder/lane-${number}.conf`;
    await this.#host.files.makeDirectory(LOG_DIRECTORY, 0o700);
    await this.#host.files.replace(path, new TextEncoder().encode(text), 0o600);
    const program = (await this.#host.processes.find("openvpn")) ?? "openvpn";
    this.#program = { program, args: ["--config", path] };
    this.#text = `${text}# keys ${await keysChecksum(this.#host, membership.relay)}\n`;
    await this.followDevice();
  }

  /**
   * Has OpenVPN started anew when its device is not the one that it opened: somebody removed that, and Binder made another of the same
   * name. OpenVPN itself goes on reading from what is gone.
   */
  async followDevice(): Promise<void> {
    if (this.#program === undefined) return;
    const index = await deviceIndex(this.#host, this.device);
    if (index !== undefined) this.#supervisor.want({ ...this.#program, revision: `${this.#text}# device ${index}\n` });
  }

  #hear(event: ManagementEvent): void {
    switch (event.kind) {
      case "state":
        this.#tunnel = event.state;
        if (event.state === "RECONNECTING" || event.state === "EXITING") {
          this.#lastError.tell(explainDetail(event.detail));
          this.#lastError.endAttempt();
        }
        if (event.state === "CONNECTED") {
          this.#lastError.clear();
          this.probe.lastSent = Number.NEGATIVE_INFINITY;
          this.#onChange();
        }
        break;
      case "log":
        if (/[FN]/.test(event.flags) && !carries(this.#health.state)) this.#lastError.tell(event.text);
        break;
      case "fatal":
        this.#lastError.tell(event.text);
        break;
      case "client":
      case "hold":
        break;
    }
  }
}

function managementPath(number: number): string {
  return `/run/binder/lane-${number}.sock`;
}
