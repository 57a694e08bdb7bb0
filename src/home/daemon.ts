import { Daemon, type Reconciled } from "../control/daemon.ts";
import type { Methods } from "../control/server.ts";
import type { HomeStatus } from "../control/types.ts";
import { type Host, HostError } from "../host/types.ts";
import { Kernel } from "../kernel/kernel.ts";
import { readDataCiphers } from "../openvpn/ciphers.ts";
import { machineMemory } from "../process/memory.ts";
import type { Log } from "../process/log.ts";
import { Turn } from "../process/turn.ts";
import { type AdoptedLanes, adoptedLanes } from "./adopt.ts";
import { captureTable } from "./capture.ts";
import { Resolver } from "./resolver.ts";
import { availableCongestion, loadCongestion } from "./congestion.ts";
import { type DeviceCounters, parseCounters, RateMeter } from "./counters.ts";
import { desiredState } from "./desired.ts";
import { devicesUp, filteringDevices } from "./devices.ts";
import { Lanes } from "./lanes.ts";
import { type LoadedHome, loadHome } from "./load.ts";
import { homeOwnership } from "./ownership.ts";
import { gatewayDevices, type HomeObservation } from "./plan.ts";
import { HomeProxy } from "./proxy.ts";
import { homeStatus } from "./status.ts";
import { stopHome } from "./stop.ts";
import { lanIpv6Warnings } from "./ipv6.ts";

/** Whatever nobody told of is looked at this often (ms): what somebody removed has to be back within ten seconds. */
const SWEEP = 8_000;
/** HAProxy takes this long to listen, or so (ms). */
const PROXY_RETRY = 200;
const SAMPLE = 1_000;

/** The home's daemon. Made by runHome (run.ts). */
export class HomeDaemon extends Daemon<LoadedHome> {
  protected override readonly sweep = SWEEP;
  readonly #lanes: Lanes;
  readonly #proxy: HomeProxy;
  readonly #resolver: Resolver;
  readonly #meters = new Map<number, RateMeter>();
  #loaded: LoadedHome;
  #kernel: Kernel;
  #ciphers: readonly string[] = [];
  #memory = 0;
  #ipv6Warnings: readonly string[] = [];
  #missing: readonly string[] = [];
  /** HAProxy has been told a lane: nothing is captured before, as it would have nowhere to go. */
  #captures = false;
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
    this.#lanes = new Lanes(host, log, onChange);
    this.#proxy = new HomeProxy(host, onChange);
    this.#resolver = new Resolver(host);
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
    const adopted = adoptedLanes(this.#loaded.plan, await this.#kernel.read(this.signal));
    // HAProxy was left running too, and knows its lanes.
    this.#captures = adopted.size > 0;
    await this.#configure(adopted);
    await this.makeRight();
    const ownership = await homeOwnership(this.host, this.#loaded.plan);
    await Promise.all([this.#proxy.supervisor.supervise(this.signal), this.keepRight(ownership), this.#probeLoop(), this.#sampleLoop()]);
  }

  protected override async load(): Promise<LoadedHome> {
    return await loadHome(this.host);
  }

  protected override async apply(loaded: LoadedHome): Promise<void> {
    const ownership = await homeOwnership(this.host, loaded.plan);
    this.#loaded = loaded;
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
    await this.#lanes.set(plan, this.#ciphers, this.signal, adopted);
    await this.#proxy.configure(plan.membership, this.signal);
  }

  async #observe(): Promise<HomeObservation> {
    const devices = gatewayDevices(this.#loaded.plan);
    return {
      devices: await devicesUp(this.host, devices),
      filtering: await filteringDevices(this.host, devices),
      congestion: await availableCongestion(this.host),
      memory: this.#memory,
      lanes: this.#lanes.all.map((lane) => lane.snapshot),
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
    await this.#resolver.set(plan, seen);
    this.#ipv6Warnings = await lanIpv6Warnings(this.host, plan);
    return { failures, ready: spread };
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
      await this.#proxy.spread(seen.lanes, this.signal);
      return true;
    } catch (error) {
      if (error instanceof HostError && (error.code === "ENOENT" || error.code === "ECONNREFUSED")) return false;
      failures.push(error instanceof Error ? error.message : String(error));
      return true;
    }
  }

  async #probeLoop(): Promise<void> {
    while (!this.signal.aborted) {
      // Bytes that came in are an answer too: no lane is given up on counters that are a second old.
      if (this.#lanes.all.some((lane) => lane.health.state === "suspect")) await this.#sample();
      const waits = await Promise.all(this.#lanes.all.map(async (lane) => await lane.tick()));
      for (const lane of this.#lanes.all) lane.observe();
      const pause = Math.max(20, Math.min(SAMPLE, ...waits));
      await this.host.clock.sleep(pause, this.signal).catch(() => undefined);
    }
  }

  async #sampleLoop(): Promise<void> {
    while (!this.signal.aborted) {
      const counters = await this.#sample();
      const now = this.host.clock.monotonic();
      for (const lane of this.#lanes.all) {
        const found = counters.get(lane.device);
        if (found === undefined) continue;
        const meter = this.#meters.get(lane.gateway.number) ?? new RateMeter();
        this.#meters.set(lane.gateway.number, meter);
        meter.add(now, found);
      }
      await this.host.clock.sleep(SAMPLE, this.signal).catch(() => undefined);
    }
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
      rates: new Map([...this.#meters].map(([number, meter]) => [number, meter.rates])),
      now: this.host.clock.monotonic(),
      proxy: this.#proxy.supervisor.state,
      captures: this.#captures,
      warnings: [
        ...this.configWarnings,
        ...this.#loaded.warnings,
        ...this.#missing,
        ...this.#programWarnings,
        ...this.failures,
        ...this.#ipv6Warnings,
      ],
    });
  }
}
