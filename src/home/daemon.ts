import { endingWith } from "../control/serve-daemon.ts";
import { MethodError, type Methods } from "../control/server.ts";
import { type Host, HostError } from "../host/types.ts";
import { Kernel } from "../kernel/kernel.ts";
import { watchKernel } from "../kernel/watch.ts";
import { readDataCiphers } from "../openvpn/ciphers.ts";
import { aborted, isAborted } from "../process/aborted.ts";
import { machineMemory } from "../process/memory.ts";
import type { Log } from "../process/log.ts";
import { Wake } from "../process/wake.ts";
import { type AdoptedLanes, adoptedLanes } from "./adopt.ts";
import { captureTable } from "./capture.ts";
import { Resolver } from "./resolver.ts";
import { availableCongestion, loadCongestion } from "./congestion.ts";
import { type DeviceCounters, parseCounters, RateMeter } from "./counters.ts";
import { desiredState } from "./desired.ts";
import { devicesUp } from "./devices.ts";
import { Lanes } from "./lanes.ts";
import { ConfigurationError, type LoadedHome, loadHome } from "./load.ts";
import { homeOwnership } from "./ownership.ts";
import type { HomeObservation } from "./plan.ts";
import { HomeProxy } from "./proxy.ts";
import { homeStatus } from "./status.ts";
import { stopHome } from "./stop.ts";
import { lanIpv6Warnings } from "./ipv6.ts";

/** Whatever nobody told of is looked at this often (ms): what somebody removed has to be back within ten seconds. */
const SWEEP = 8_000;
/** After something failed (ms). */
const RETRY = 1_000;
/** HAProxy takes this long to listen, or so (ms). */
const PROXY_RETRY = 200;
const SAMPLE = 1_000;

/** The home's daemon. Made by runHome (run.ts). */
export class HomeDaemon {
  readonly #host: Host;
  readonly #log: Log;
  readonly #end: AbortController;
  /** Fires with `end`, and before it when Binder is stopped for good. */
  readonly #work: AbortController;
  readonly #signal: AbortSignal;
  readonly #lanes: Lanes;
  readonly #proxy: HomeProxy;
  readonly #resolver: Resolver;
  readonly #changed = new Wake();
  readonly #meters = new Map<number, RateMeter>();
  #loaded: LoadedHome;
  #kernel: Kernel;
  #ciphers: readonly string[] = [];
  #memory = 0;
  #configError = "";
  #failures: readonly string[] = [];
  #ipv6Warnings: readonly string[] = [];
  #missing: readonly string[] = [];
  /** HAProxy has been told a lane: nothing is captured before, as it would have nowhere to go. */
  #captures = false;
  #programWarnings: readonly string[] = [];
  /** All that supervises, probes and puts back. */
  #loops: Promise<void> = Promise.resolve();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(host: Host, log: Log, loaded: LoadedHome, kernel: Kernel, end: AbortController) {
    this.#host = host;
    this.#log = log;
    this.#loaded = loaded;
    this.#kernel = kernel;
    this.#end = end;
    this.#work = endingWith(end.signal);
    this.#signal = this.#work.signal;
    this.#lanes = new Lanes(host, log, () => {
      this.#changed.set();
    });
    this.#proxy = new HomeProxy(host, () => {
      this.#changed.set();
    });
    this.#resolver = new Resolver(host);
    log.level = loaded.plan.config.main.logLevel;
  }

  methods(): Methods {
    return {
      status: async () => await Promise.resolve(this.#status()),
      gateways: async () => await Promise.resolve(this.#status().gateways),
      events: async () => await Promise.resolve(this.#log.events),
      reload: async () => {
        await this.reload();
        return null;
      },
      stop: async () => {
        // Whoever would start a program or put a rule back must be gone first.
        this.#work.abort(new Error("stopped"));
        await this.#loops;
        await stopHome(this.#host, this.#end.signal);
        // The answer goes out first.
        setTimeout(() => {
          this.#end.abort(new Error("stopped"));
        }, 50);
        return null;
      },
    };
  }

  async run(): Promise<void> {
    this.#ciphers = await readDataCiphers(this.#host);
    this.#memory = await machineMemory(this.#host);
    const adopted = adoptedLanes(this.#loaded.plan, await this.#kernel.read(this.#signal));
    // HAProxy was left running too, and knows its lanes.
    this.#captures = adopted.size > 0;
    await this.#configure(adopted);
    await this.#reconcile();
    this.#loops = this.#loop();
    await this.#loops;
    await aborted(this.#end.signal);
  }

  async #loop(): Promise<void> {
    await Promise.all([
      this.#proxy.supervisor.supervise(this.#signal),
      this.#reconcileLoop(),
      this.#probeLoop(),
      this.#sampleLoop(),
      watchKernel(this.#host, await homeOwnership(this.#host, this.#loaded.plan), this.#signal, () => {
        this.#changed.set();
      }),
    ]);
  }

  /** Reads the configuration again. A broken one changes nothing; it is told, and shown in the status. */
  async reload(): Promise<void> {
    try {
      this.#loaded = await loadHome(this.#host);
      this.#configError = "";
    } catch (error) {
      this.#configError = error instanceof Error ? error.message : String(error);
      this.#log.write("error", `the configuration is wrong, the last good one stays: ${this.#configError}`);
      throw new MethodError(error instanceof ConfigurationError ? 3 : 1, this.#configError, { cause: error });
    }
    this.#log.level = this.#loaded.plan.config.main.logLevel;
    this.#log.write("info", "configuration read");
    const ownership = await homeOwnership(this.#host, this.#loaded.plan);
    await this.#inTurn(async () => {
      this.#kernel = new Kernel(this.#host, ownership);
      await this.#reconcile();
      await this.#configure();
    });
    this.#changed.set();
  }

  /** A reload and the sweep wait for each other. */
  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work);
    this.#turn = mine.catch(() => undefined);
    return await mine;
  }

  async #configure(adopted?: AdoptedLanes): Promise<void> {
    const { plan } = this.#loaded;
    const { congestion } = plan.config.main;
    this.#missing = (await loadCongestion(this.#host, congestion, this.#signal))
      ? []
      : [`the kernel has no congestion control ${congestion}: install kmod-tcp-${congestion}, or choose another (binder.main.congestion)`];
    await this.#lanes.set(plan, this.#ciphers, this.#signal, adopted);
    await this.#proxy.configure(plan.membership, this.#signal);
  }

  async #observe(): Promise<HomeObservation> {
    const devices = this.#loaded.plan.gateways.flatMap(({ section }) => (section.reach.kind === "via" ? [section.reach.device] : []));
    return {
      devices: await devicesUp(this.#host, devices),
      congestion: await availableCongestion(this.#host),
      memory: this.#memory,
      lanes: this.#lanes.all.map((lane) => lane.snapshot),
      withoutProxy: this.#proxy.complaint !== "",
    };
  }

  /** Makes kernel, HAProxy and resolver what they should be now. Answers whether that is done, but for failures met before. */
  async #reconcile(): Promise<boolean> {
    const { plan } = this.#loaded;
    await this.#lookForPrograms();
    const seen = await this.#observe();
    const desired = desiredState(plan, seen);
    const wanted = this.#captures ? desired : { ...desired, nft: captureTable(plan, { ...seen, lanes: [] }) };
    const failures = (await this.#kernel.set(wanted, this.#signal)).map((failure) => failure.message);
    await this.#lanes.followDevices();
    const spread = await this.#spread(seen, failures);
    if (spread && !this.#captures && seen.lanes.some((lane) => lane.live)) {
      failures.push(...(await this.#kernel.set(desired, this.#signal)).map((failure) => failure.message));
      this.#captures = true;
    }
    await this.#resolver.set(plan, seen);
    this.#ipv6Warnings = await lanIpv6Warnings(this.#host, plan);
    const news = failures.filter((failure) => !this.#failures.includes(failure));
    for (const failure of news) this.#log.write("warning", failure);
    this.#failures = failures;
    // What failed twice in the same way will not be well a second later.
    return spread && news.length === 0;
  }

  /** What is missing may be installed at any time. */
  async #lookForPrograms(): Promise<void> {
    const { membership } = this.#loaded.plan;
    if (this.#proxy.complaint !== "") await this.#proxy.configure(membership, this.#signal);
    this.#programWarnings = [
      ...(this.#proxy.complaint === "" ? [] : [`${this.#proxy.complaint}; until then each download goes by one gateway alone`]),
      ...(membership === undefined || (await this.#host.processes.find("openvpn")) !== undefined
        ? []
        : ["openvpn is not installed, so no gateway can reach the relay: binder doctor tells how to install it"]),
    ];
  }

  /** Tells HAProxy where connections start. False while it is not ready to hear that, which is no failure. */
  async #spread(seen: HomeObservation, failures: string[]): Promise<boolean> {
    if (this.#proxy.complaint !== "") return true;
    if (this.#proxy.supervisor.state.kind !== "running") return this.#loaded.plan.membership === undefined;
    try {
      await this.#proxy.spread(seen.lanes, this.#signal);
      return true;
    } catch (error) {
      if (error instanceof HostError && (error.code === "ENOENT" || error.code === "ECONNREFUSED")) return false;
      failures.push(error instanceof Error ? error.message : String(error));
      return true;
    }
  }

  async #reconcileLoop(): Promise<void> {
    while (!this.#signal.aborted) {
      let well = false;
      try {
        well = await this.#inTurn(async () => await this.#reconcile());
      } catch (error) {
        if (isAborted(this.#signal)) return;
        this.#log.write("error", error instanceof Error ? error.message : String(error));
      }
      const starting = this.#proxy.supervisor.state.kind === "running" ? PROXY_RETRY : RETRY;
      await this.#changed.wait(well ? SWEEP : starting, this.#signal);
    }
  }

  async #probeLoop(): Promise<void> {
    while (!this.#signal.aborted) {
      // Bytes that came in are an answer too: no lane is given up on counters that are a second old.
      if (this.#lanes.all.some((lane) => lane.health.state === "suspect")) await this.#sample();
      const waits = await Promise.all(this.#lanes.all.map(async (lane) => await lane.tick()));
      for (const lane of this.#lanes.all) lane.observe();
      const pause = Math.max(20, Math.min(SAMPLE, ...waits));
      await this.#host.clock.sleep(pause, this.#signal).catch(() => undefined);
    }
  }

  async #sampleLoop(): Promise<void> {
    while (!this.#signal.aborted) {
      const counters = await this.#sample();
      const now = this.#host.clock.monotonic();
      for (const lane of this.#lanes.all) {
        const found = counters.get(lane.device);
        if (found === undefined) continue;
        const meter = this.#meters.get(lane.gateway.number) ?? new RateMeter();
        this.#meters.set(lane.gateway.number, meter);
        meter.add(now, found);
      }
      await this.#host.clock.sleep(SAMPLE, this.#signal).catch(() => undefined);
    }
  }

  async #sample(): Promise<ReadonlyMap<string, DeviceCounters>> {
    const counters = parseCounters(new TextDecoder().decode(await this.#host.files.read("/proc/net/dev")));
    for (const lane of this.#lanes.all) {
      const found = counters.get(lane.device);
      if (found !== undefined) lane.count(found.received, found.sent);
    }
    return counters;
  }

  #status(): ReturnType<typeof homeStatus> {
    const extra = this.#configError === "" ? [] : [`the configuration is wrong, the last good one is in use: ${this.#configError}`];
    return homeStatus({
      loaded: this.#loaded,
      lanes: this.#lanes.all,
      rates: new Map([...this.#meters].map(([number, meter]) => [number, meter.rates])),
      now: this.#host.clock.monotonic(),
      proxy: this.#proxy.supervisor.state,
      captures: this.#captures,
      warnings: [...extra, ...this.#loaded.warnings, ...this.#missing, ...this.#programWarnings, ...this.#failures, ...this.#ipv6Warnings],
    });
  }
}
