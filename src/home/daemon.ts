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
import { setServers } from "./resolver.ts";
import { availableCongestion, loadCongestion } from "./congestion.ts";
import { desiredState } from "./desired.ts";
import { devicesUp, filteringDevices, hasCarrier } from "./devices.ts";
import { LaneWatch } from "./lane-watch.ts";
import { Lanes } from "./lanes.ts";
import { type HomeFiles, readHome } from "./load.ts";
import { Networks } from "./networks.ts";
import { type LoadedHome, networksOf, planHome } from "./plan-home.ts";
import { homeOwnership } from "./ownership.ts";
import { carries } from "./health.ts";
import { forgetFlows } from "./forget-flows.ts";
import { Healer } from "./healer.ts";
import { gatewayDevices, type HomeObservation, type Membership } from "./plan.ts";
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

/** The home's daemon. Made by runHome (run.ts). */
export class HomeDaemon extends Daemon<HomeFiles> {
  protected override readonly sweep = SWEEP;
  readonly #lanes: Lanes;
  readonly #proxy: HomeProxy;
  readonly #relays: RelayWatch;
  readonly #healer: Healer;
  readonly #watch: LaneWatch;
  readonly #quotas: Quotas;
  readonly #networks: Networks;
  /** The lanes that a former daemon left are adopted, and networks may change them. */
  #begun = false;
  #moving = false;
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

  constructor(host: Host, log: Log, files: HomeFiles, kernel: Kernel, end: AbortController) {
    super(host, log, end);
    this.#networks = new Networks(host, () => {
      if (this.#begun) void this.#planAgain();
    });
    this.#loaded = planHome(files, this.#networks.known);
    this.#kernel = kernel;
    const onChange = (): void => {
      this.changed.set();
    };
    this.#lanes = new Lanes(host, log, (lanes) => {
      const fallen = lanes.filter(({ health }) => !carries(health.state));
      // What the fallen hold is waited for; the rest can wait a moment.
      if (fallen.length > 0) void this.#watch.drop(fallen).finally(onChange);
      else onChange();
    });
    this.#proxy = new HomeProxy(host, onChange);
    this.#relays = new RelayWatch(host, onChange);
    this.#healer = new Healer(host, log, async (sources) => {
      await this.#proxy.endSessions(sources, this.signal);
    });
    this.#quotas = new Quotas(host, log);
    this.#watch = new LaneWatch(
      host,
      log,
      { lanes: this.#lanes, healer: this.#healer, quotas: this.#quotas },
      () => ({ plan: this.#loaded.plan, kernel: this.#kernel, sendLimit: this.#sendLimit }),
      {
        onChange,
        onLook: () => {
          this.#seeRelays();
        },
      },
      this.signal,
    );
    log.level = files.config.main.logLevel;
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
    await this.#networks.open();
    this.#networks.follow(networksOf(this.#loaded.files.config));
    await Promise.all([this.#networks.run(this.signal), this.#liveOnNetworks()]);
  }

  async #liveOnNetworks(): Promise<void> {
    await this.#networks.first(this.signal);
    const { known } = this.#networks;
    const loaded = planHome(this.#loaded.files, known);
    this.#loaded = { ...loaded, plan: await this.#relays.adopt(loaded.plan) };
    const adopted = adoptedLanes(this.#loaded.plan, await this.#kernel.read(this.signal));
    // HAProxy was left running too, and knows its lanes.
    this.#captures = adopted.size > 0;
    await this.#configure(adopted);
    this.#begun = true;
    await (this.#networks.known === known ? this.makeRight() : this.#planAgain());
    const ownership = await homeOwnership(this.host, this.#loaded.plan);
    const onLink = (name: string, works: boolean): void => {
      this.#lanes.onLink(name, works);
    };
    await Promise.all([this.#proxy.supervisor.supervise(this.signal), this.keepRight(ownership, onLink), this.#watch.run()]);
  }

  protected override async load(): Promise<HomeFiles> {
    return await readHome(this.host);
  }

  protected override async apply(files: HomeFiles): Promise<void> {
    this.#networks.follow(networksOf(files.config));
    await this.#networks.first(this.signal);
    const ownership = await homeOwnership(this.host, files);
    this.#plan(files);
    this.#kernel = new Kernel(this.host, ownership);
    this.log.level = files.config.main.logLevel;
    this.log.write("info", "configuration read");
    await this.#takeUp();
  }

  #plan(files: HomeFiles): void {
    const loaded = planHome(files, this.#networks.known);
    this.#loaded = { ...loaded, plan: this.#relays.use(loaded.plan, this.#loaded.plan.membership?.relay) };
  }

  /** Rules and routes first: what OpenVPN sends goes by them. */
  async #takeUp(): Promise<void> {
    await this.makeRight();
    await this.#turn.take(async () => {
      await this.#configure();
    });
  }

  /** Takes up what became of the networks. What fails is tried again with the next change, or reload. */
  async #planAgain(): Promise<void> {
    try {
      this.#plan(this.#loaded.files);
      await this.#takeUp();
      this.changed.set();
    } catch (error) {
      if (!isAborted(this.signal)) this.log.write("error", error instanceof Error ? error.message : String(error));
    }
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
      await setServers(this.host, plan, seen);
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

  #seeRelays(): void {
    if (this.#moving) return;
    const next = this.#relays.see(this.#loaded.plan, this.#lanes, this.#working, this.signal);
    if (next !== undefined) void this.#move(next);
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
