import { Daemon, type Reconciled } from "../control/daemon.ts";
import type { Methods } from "../control/server.ts";
import type { HomeStatus } from "../control/types.ts";
import { type Host, HostError } from "../host/types.ts";
import { Kernel } from "../kernel/kernel.ts";
import { kernelRelease } from "../kernel/release.ts";
import { readDataCiphers } from "../openvpn/ciphers.ts";
import { holdsReserve, sendLimit, type SendLimit } from "../plan/tcp-buffers.ts";
import { machineMemory } from "../process/memory.ts";
import { isAborted } from "../process/aborted.ts";
import type { Log } from "../process/log.ts";
import { Turn } from "../process/turn.ts";
import { type AdoptedLanes, adoptedLanes } from "./adopt.ts";
import { captureTable } from "./capture.ts";
import { Resolver } from "./resolver.ts";
import { availableCongestion, loadCongestion } from "./congestion.ts";
import { type DeviceCounters, parseCounters } from "./counters.ts";
import { desiredState, serviceRoute } from "./desired.ts";
import { devicesUp, filteringDevices, hasCarrier } from "./devices.ts";
import { carried, Lanes } from "./lanes.ts";
import { type LoadedHome, loadHome } from "./load.ts";
import { homeOwnership } from "./ownership.ts";
import { endAttempts } from "./end-attempts.ts";
import { carries } from "./health.ts";
import type { Lane } from "./lane.ts";
import { forgetFlows } from "./forget-flows.ts";
import { Healer } from "./healer.ts";
import { Dependence } from "./dependence.ts";
import { gatewayDevices, type HomeObservation, laneAddress, type Membership } from "./plan.ts";
import { RelayWatch } from "./relay-watch.ts";
import { HomeProxy } from "./proxy.ts";
import { homeStatus } from "./status.ts";
import { Quotas } from "./quotas.ts";
import { stopHome } from "./stop.ts";
import { lanIpv6Warnings } from "./ipv6.ts";

/** Whatever nobody told of is looked at this often (ms): what somebody removed has to be back within ten seconds. */
const SWEEP = 8_000;
/** HAProxy takes this long to listen, or so (ms). */
const PROXY_RETRY = 200;
/** Rates are taken over so much (ms). */
const RATE = 1_000;
/** The lanes' counters are looked at this often (ms): while something goes by them, while one is in doubt, and while nothing does. */
const WATCH_BUSY = 30;
const WATCH_DOUBT = 15;
const WATCH_IDLE = 250;
const LEAST_PAUSE = 10;

/** The home's daemon. Made by runHome (run.ts). */
export class HomeDaemon extends Daemon<LoadedHome> {
  protected override readonly sweep = SWEEP;
  readonly #lanes: Lanes;
  readonly #proxy: HomeProxy;
  readonly #resolver: Resolver;
  readonly #relays: RelayWatch;
  readonly #healer: Healer;
  readonly #dependence: Dependence;
  readonly #quotas: Quotas;
  #moving = false;
  /** The lane that the route to the relay's service address leads by. */
  #nearest: number | undefined;
  /** Gateways' devices that are up and have a carrier. */
  #working: ReadonlySet<string> = new Set();
  #loaded: LoadedHome;
  #kernel: Kernel;
  #ciphers: readonly string[] = [];
  #memory = 0;
  #reserve = false;
  #ipv6Warnings: readonly string[] = [];
  #missing: readonly string[] = [];
  /** HAProxy has been told a lane: nothing is captured before, as it would have nowhere to go. */
  #captures = false;
  /** The gateways that flows left by directly at the last reconcile. */
  #leftDirectly: readonly number[] = [];
  #programWarnings: readonly string[] = [];
  /** A reload and the loop that reconciles wait for each other. */
  readonly #turn = new Turn();

  constructor(host: Host, log: Log, loaded: LoadedHome, kernel: Kernel, end: AbortController) {
    super(host, log, end);
    this.#loaded = loaded;
    this.#kernel = kernel;
    const onChange = (): void => {
      this.changed.set();
    };
    this.#lanes = new Lanes(host, log, (lanes) => {
      const fallen = lanes.filter(({ health }) => !carries(health.state));
      // What the fallen hold is waited for; the rest can wait a moment.
      if (fallen.length > 0) void this.#drop(fallen).finally(onChange);
      else onChange();
    });
    this.#proxy = new HomeProxy(host, onChange);
    this.#resolver = new Resolver(host);
    this.#relays = new RelayWatch(host, onChange);
    this.#healer = new Healer(host, log, async (sources) => {
      await this.#proxy.endSessions(sources, this.signal);
    });
    this.#dependence = new Dependence(host);
    this.#quotas = new Quotas(host, log);
    log.level = loaded.plan.config.main.logLevel;
  }

  /** An HAProxy that runs and is not told yet is about to listen. */
  protected override get retry(): number {
    return this.#proxy.supervisor.state.kind === "running" ? PROXY_RETRY : super.retry;
  }

  override methods(): Methods {
    return { ...super.methods(), gateways: async () => await Promise.resolve(this.status().gateways) };
  }

  protected override async live(): Promise<void> {
    this.#ciphers = await readDataCiphers(this.host);
    this.#memory = await machineMemory(this.host);
    this.#reserve = holdsReserve(await kernelRelease(this.host));
    await this.#quotas.open();
    this.#loaded = { ...this.#loaded, plan: await this.#relays.adopt(this.#loaded.plan) };
    const adopted = adoptedLanes(this.#loaded.plan, await this.#kernel.read(this.signal));
    // HAProxy was left running too, and knows its lanes.
    this.#captures = adopted.size > 0;
    await this.#configure(adopted);
    await this.makeRight();
    const ownership = await homeOwnership(this.host, this.#loaded.plan);
    const onLink = (name: string, works: boolean): void => {
      this.#lanes.onLink(name, works);
    };
    await Promise.all([this.#proxy.supervisor.supervise(this.signal), this.keepRight(ownership, onLink), this.#watch()]);
  }

  protected override async load(): Promise<LoadedHome> {
    return await loadHome(this.host);
  }

  protected override async apply(loaded: LoadedHome): Promise<void> {
    const ownership = await homeOwnership(this.host, loaded.plan);
    this.#loaded = { ...loaded, plan: this.#relays.use(loaded.plan, this.#loaded.plan.membership?.relay) };
    this.#kernel = new Kernel(this.host, ownership);
    this.log.level = loaded.plan.config.main.logLevel;
    this.log.write("info", "configuration read");
    await this.makeRight();
    await this.#turn.take(async () => {
      await this.#configure();
    });
  }

  protected override async remove(signal: AbortSignal): Promise<void> {
    await stopHome(this.host, signal);
  }

  async #configure(adopted?: AdoptedLanes): Promise<void> {
    const { plan } = this.#loaded;
    const { congestion } = plan.config.main;
    this.#missing = (await loadCongestion(this.host, congestion, this.signal))
      ? []
      : [`the kernel has no congestion control ${congestion}: install kmod-tcp-${congestion}, or choose another (binder.main.congestion)`];
    // Without it the next daemon begins with the first relay, no worse.
    await this.#relays.remember(plan).catch(() => undefined);
    await this.#lanes.set(plan, this.#ciphers, this.signal, adopted);
    await this.#proxy.configure(plan.membership, this.signal);
  }

  async #observe(): Promise<HomeObservation> {
    const devices = gatewayDevices(this.#loaded.plan);
    const up = await devicesUp(this.host, devices);
    const working = new Set<string>();
    for (const device of up) if (await hasCarrier(this.host, device)) working.add(device);
    this.#working = working;
    // The kernel's word may have been missed.
    for (const device of devices) this.#lanes.onLink(device, working.has(device));
    return {
      devices: up,
      filtering: await filteringDevices(this.host, devices),
      congestion: await availableCongestion(this.host),
      memory: this.#memory,
      sendLimit: this.#sendLimit,
      lanes: this.#lanes.all.map((lane) => lane.snapshot),
      nearest: this.#lanes.nearest,
      far: this.#lanes.far,
      direct: this.#relays.direct,
      withoutProxy: this.#proxy.complaint !== "",
    };
  }

  /** Makes kernel, HAProxy and resolver what they should be now; ready once HAProxy knows its lanes. */
  protected override async reconcile(): Promise<Reconciled> {
    return await this.#turn.take(async () => await this.#reconcile());
  }

  async #reconcile(): Promise<Reconciled> {
    const { plan } = this.#loaded;
    // A reload may put another in its place meanwhile.
    const kernel = this.#kernel;
    await this.#lookForPrograms();
    const seen = await this.#observe();
    const desired = desiredState(plan, seen);
    const wanted = this.#captures ? desired : { ...desired, nft: captureTable(plan, { ...seen, lanes: [] }) };
    const failures = (await kernel.set(wanted, this.signal)).map((failure) => failure.message);
    await this.#lanes.followDevices();
    const spread = await this.#spread(seen, failures);
    if (spread && !this.#captures && seen.lanes.some((lane) => lane.live)) {
      failures.push(...(await kernel.set(desired, this.signal)).map((failure) => failure.message));
      this.#captures = true;
    }
    await this.#forget(seen);
    try {
      await this.#resolver.set(plan, seen);
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      failures.push(`the resolvers could not be written: ${error.message}`);
    }
    this.#ipv6Warnings = await lanIpv6Warnings(this.host, plan);
    return { failures, ready: spread };
  }

  /** Once the capture is what it should be, flows whose way is gone are decided anew. */
  async #forget({ direct, lanes }: HomeObservation): Promise<void> {
    const former = this.#leftDirectly;
    this.#leftDirectly = direct;
    const begun = direct.length > 0 && former.length === 0;
    const gone = former.filter((gateway) => !direct.includes(gateway));
    // When lanes carry again, what left directly goes on as it is.
    const lost = lanes.some(({ live }) => live) ? [] : gone;
    if (begun || lost.length > 0) await forgetFlows(this.host, begun, lost, this.signal);
  }

  /** What is missing may be installed at any time. */
  async #lookForPrograms(): Promise<void> {
    const { membership } = this.#loaded.plan;
    if (this.#proxy.complaint !== "") await this.#proxy.configure(membership, this.signal);
    this.#programWarnings = [
      ...(this.#proxy.complaint === "" ? [] : [`${this.#proxy.complaint}; until then each download goes by one gateway alone`]),
      ...(membership === undefined || (await this.host.processes.find("openvpn")) !== undefined
        ? []
        : ["openvpn is not installed, so no gateway can reach the relay: binder doctor tells how to install it"]),
    ];
  }

  /** Tells HAProxy where connections start. False while it is not ready to hear that, which is no failure. */
  async #spread(seen: HomeObservation, failures: string[]): Promise<boolean> {
    if (this.#proxy.complaint !== "") return true;
    if (this.#proxy.supervisor.state.kind !== "running") return this.#loaded.plan.membership === undefined;
    try {
      const poor = seen.lanes.filter((lane) => lane.poor);
      const unfit = [...poor, ...this.#healer.complaints(this.#loaded.plan)].map(({ number }) => number);
      await this.#proxy.spread(seen.lanes, new Set(unfit), this.signal);
      return true;
    } catch (error) {
      if (error instanceof HostError && (error.code === "ENOENT" || error.code === "ECONNREFUSED")) return false;
      failures.push(error instanceof Error ? error.message : String(error));
      return true;
    }
  }

  /** Takes the lanes from the connections at once: their data, and what is acknowledged by the nearest, goes by the others. The rest is for the next reconcile. */
  async #drop(lanes: readonly Lane[]): Promise<void> {
    const { membership } = this.#loaded.plan;
    if (membership === undefined) return;
    const addresses = lanes.map(({ gateway }) => laneAddress(membership, gateway.number));
    this.#nearest = this.#lanes.nearest;
    const instead = this.#nearest === undefined ? [] : [serviceRoute(membership, this.#nearest)];
    const results = await Promise.allSettled([
      this.#kernel.leave(addresses, instead, this.signal),
      endAttempts(this.host, addresses, this.signal),
    ]);
    for (const result of results) {
      if (result.status === "rejected" && !isAborted(this.signal)) this.log.write("debug", String(result.reason));
    }
    this.#mend(async (live) => await this.#healer.revive(this.#loaded.plan, this.#kernel, live, this.signal));
  }

  /** Probes the lanes and judges them, as closely as what goes by them asks for. */
  async #watch(): Promise<void> {
    let metered = Number.NEGATIVE_INFINITY;
    while (!this.signal.aborted) {
      const counters = await this.#sample();
      const now = this.host.clock.monotonic();
      if (now - metered >= RATE) {
        metered = now;
        this.#measure(counters);
        this.#lanes.spent = await this.#quotas.count(this.#loaded.plan, counters);
      }
      const wait = await this.#lanes.tick();
      this.#lookWhoDepends();
      this.#lanes.judge();
      this.#steer();
      this.#seeRelays();
      if (this.#lanes.busy && this.#healer.due)
        this.#mend(async (live) => await this.#healer.look(this.#loaded.plan, this.#kernel, live, this.signal));
      const { busy, doubtful } = this.#lanes;
      const pause = Math.max(LEAST_PAUSE, Math.min(doubtful ? WATCH_DOUBT : busy ? WATCH_BUSY : WATCH_IDLE, wait));
      const due = this.host.clock.monotonic() + pause;
      await this.host.clock.sleep(pause, this.signal).catch(() => undefined);
      this.#lanes.wasDue(due);
    }
    await this.#quotas.count(this.#loaded.plan, await this.#sample());
    await this.#quotas.close();
  }

  /** When another lane is the nearest, what is acknowledged by it goes there at once: its silence would be that of all. */
  #steer(): void {
    const { membership } = this.#loaded.plan;
    const { nearest } = this.#lanes;
    if (nearest === this.#nearest) return;
    this.#nearest = nearest;
    if (membership === undefined || nearest === undefined) return;
    this.#kernel.leave([], [serviceRoute(membership, nearest)], this.signal).catch((error: unknown) => {
      if (!isAborted(this.signal)) this.log.write("debug", String(error));
    });
  }

  /** Whether a lane that may fall is some connection's only one; if that can't be known, it is as if it were not. No lane's silence waits for it. */
  #lookWhoDepends(): void {
    this.#dependence.look(this.#loaded.plan.membership, this.#lanes.mayFall, this.signal).then(
      (found) => {
        if (found !== undefined) this.#lanes.dependedOn = found;
      },
      (error: unknown) => {
        this.#lanes.dependedOn = new Set();
        this.#notLookedAt(error);
      },
    );
  }

  #notLookedAt(error: unknown): void {
    if (!isAborted(this.signal)) this.log.write("debug", `subflows could not be looked at: ${String(error)}`);
  }

  #seeRelays(): void {
    if (this.#moving) return;
    const next = this.#relays.see(this.#loaded.plan, this.#lanes, this.#working, this.signal);
    if (next !== undefined) void this.#move(next);
  }

  /** Mends connections, with the lanes that carry, those that carry least first. */
  #mend(how: (live: readonly number[]) => Promise<boolean>): void {
    const live = this.#lanes.all.filter(({ health }) => carries(health.state)).sort((a, b) => carried(a) - carried(b));
    how(live.map(({ gateway }) => gateway.number)).then(
      (changed) => {
        if (changed) this.changed.set();
      },
      (error: unknown) => {
        this.#notLookedAt(error);
      },
    );
  }

  /** Goes to another relay: every lane is made anew toward it. */
  async #move(membership: Membership): Promise<void> {
    this.#moving = true;
    try {
      this.log.write("warning", `relay '${membership.relay}' is used in place of '${this.#loaded.plan.membership?.relay ?? ""}'`);
      this.#loaded = { ...this.#loaded, plan: { ...this.#loaded.plan, membership } };
      await this.#turn.take(async () => {
        await this.#configure();
      });
      this.changed.set();
    } catch (error) {
      if (!isAborted(this.signal)) this.log.write("error", error instanceof Error ? error.message : String(error));
    } finally {
      this.#moving = false;
    }
  }

  get #sendLimit(): SendLimit {
    return sendLimit(this.#lanes.need, this.#reserve);
  }

  #measure(counters: ReadonlyMap<string, DeviceCounters>): void {
    const limit = this.#sendLimit.subflow;
    const { far } = this.#lanes;
    this.#lanes.measure(counters);
    if (this.#sendLimit.subflow !== limit || this.#lanes.far !== far) this.changed.set();
  }

  async #sample(): Promise<ReadonlyMap<string, DeviceCounters>> {
    const counters = parseCounters(new TextDecoder().decode(await this.host.files.read("/proc/net/dev")));
    for (const lane of this.#lanes.all) {
      const found = counters.get(lane.device);
      if (found !== undefined) lane.count(found.received, found.sent);
    }
    return counters;
  }

  protected override status(): HomeStatus {
    return homeStatus({
      loaded: this.#loaded,
      lanes: this.#lanes.all,
      rates: new Map(this.#lanes.all.map(({ gateway, meter }) => [gateway.number, meter.rates])),
      now: this.host.clock.monotonic(),
      proxy: this.#proxy.supervisor.state,
      captures: this.#captures,
      direct: this.#relays.direct,
      warnings: [
        ...this.configWarnings,
        ...this.#loaded.warnings,
        ...this.#missing,
        ...this.#programWarnings,
        ...this.failures,
        ...this.#quotas.warnings(this.#loaded.plan),
        ...this.#healer.complaints(this.#loaded.plan).map(({ text }) => text),
        ...this.#ipv6Warnings,
      ],
    });
  }
}
