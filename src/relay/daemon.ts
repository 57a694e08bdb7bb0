import { Daemon, type Reconciled } from "../control/daemon.ts";
import type { RelayStatus } from "../control/types.ts";
import type { Host } from "../host/types.ts";
import { Kernel } from "../kernel/kernel.ts";
import { kernelRelease } from "../kernel/release.ts";
import { readDataCiphers } from "../openvpn/ciphers.ts";
import { holdsReserve, sendLimit } from "../plan/tcp-buffers.ts";
import { isAborted } from "../process/aborted.ts";
import { endAll } from "../process/end-named.ts";
import { machineMemory } from "../process/memory.ts";
import type { Log } from "../process/log.ts";
import { Turn } from "../process/turn.ts";
import { desiredState, lanesRouted } from "./desired.ts";
import { ExitProxy } from "./exit-proxy.ts";
import { LaneServer, laneProcess } from "./lane-server.ts";
import { LinkServer } from "./link-server.ts";
import { numberOfCommonName } from "./homes.ts";
import { NameServer } from "./name-server.ts";
import { relayOwnership } from "./ownership.ts";
import { loadRelay } from "./load.ts";
import { lanesOf, type RelayPlan, serviceAddress } from "./plan.ts";
import { SubflowCutter } from "./subflow-cutter.ts";
import { expel } from "./expel.ts";
import { relayStatus } from "./status.ts";
import { stopRelay } from "./stop.ts";

const SWEEP = 10_000;

/** A lane's server is told to be new for so long (ms): homes probe an idle lane every twelve seconds. */
const NEW_FOR = 30_000;

/**
 * What a home that is put off begins until it hears of that is ended after these pauses (ms). OpenVPN forgets its session five seconds
 * later (scheduled_exit_interval in openvpn's options.c), whatever it hears.
 */
const LAST_WORDS: readonly number[] = [1_000, 5_000];

/** The relay's daemon. Made by runRelay (run.ts). */
export class RelayDaemon extends Daemon<RelayPlan> {
  protected override readonly sweep = SWEEP;
  readonly #servers: readonly LaneServer[];
  readonly #proxy: ExitProxy;
  readonly #names: NameServer;
  readonly #link: LinkServer;
  readonly #confined: number;
  #memory = 0;
  #reserve = false;
  readonly #kernel: Kernel;
  /** In the order in which homes say so. */
  readonly #cuts = new Turn();
  readonly #cutter: SubflowCutter;
  /** Certificates' names that are being put off. */
  readonly #strangers = new Set<string>();
  #plan: RelayPlan;
  /** The names of the book's certificates: thousands, asked for by each session. */
  #admitted: ReadonlySet<string> = new Set();
  /** Whether the nft table was as wanted when last looked at. */
  #confines = false;

  constructor(host: Host, log: Log, plan: RelayPlan, confined: number, end: AbortController) {
    super(host, log, end);
    this.#plan = plan;
    this.#confined = confined;
    this.#kernel = new Kernel(host, relayOwnership(plan));
    this.#servers = lanesOf(plan).map(
      (lane) =>
        new LaneServer(
          host,
          lane,
          (commonName) => this.#isAdmitted(commonName),
          (commonName) => {
            this.#putOff(commonName, commonName);
          },
        ),
    );
    this.#proxy = new ExitProxy(host);
    this.#names = new NameServer(host);
    this.#cutter = new SubflowCutter(host);
    this.#link = new LinkServer(host, plan.config.prefix, {
      onChange: () => {
        // The cuts come first: what a dead lane holds is waited for, the rest is not.
        void this.#cuts.take(async () => {
          this.changed.set();
          await Promise.resolve();
        });
      },
      restarted: () => this.#servers.reduce((bits, server) => bits | (server.startedWithin(NEW_FOR) ? 1 << server.lane : 0), 0),
      onFall: (home, lanes) => {
        this.#cuts.take(async () => await this.#cutter.cut(this.#plan, home, lanes, this.signal)).catch(() => undefined);
      },
    });
  }

  protected override async live(): Promise<void> {
    try {
      await this.#start();
      this.#cutter.prepare();
      await Promise.all([
        ...this.#servers.map(async (server) => {
          await server.run(this.signal);
        }),
        this.#proxy.supervisor.supervise(this.signal),
        this.#names.supervisor.supervise(this.signal),
        this.keepRight(relayOwnership(this.#plan)),
      ]);
    } finally {
      this.#link.close();
      await this.#cutter.close();
    }
  }

  async #start(): Promise<void> {
    this.#memory = await machineMemory(this.host);
    this.#reserve = holdsReserve(await kernelRelease(this.host));
    const ciphers = await readDataCiphers(this.host);
    this.#admit();
    // The lanes of a former configuration have nobody else who ends them.
    const lanes = new Set(this.#servers.map(({ lane }) => laneProcess(lane)));
    await endAll(this.host, (name) => name.startsWith("relay-lane-") && !lanes.has(name), this.signal);
    this.#link.adopt(lanesRouted(this.#plan, (await this.#kernel.read(this.signal)).routes));
    await this.makeRight();
    // A home finds no program here that the kernel does not confine.
    while (!this.#confines) {
      await this.changed.wait(this.retry, this.signal);
      this.signal.throwIfAborted();
      await this.makeRight();
    }
    for (const server of this.#servers) await server.configure(this.#plan, ciphers);
    await this.#proxy.configure(this.#plan, this.signal);
    await this.#names.configure(this.#plan);
  }

  /** What servers are started with (port, prefix, lanes) changes by a restart alone. */
  protected override async load(): Promise<RelayPlan> {
    const { port, prefix, lanes } = this.#plan.config;
    return await loadRelay(this.host, this.log, { port, prefix, lanes });
  }

  /** Homes that are gone are put off at once; nobody else is touched. */
  protected override async apply(plan: RelayPlan): Promise<void> {
    const before = this.#plan.book.homes;
    this.#plan = plan;
    this.#admit();
    const gone = before.filter(({ cn }) => !this.#isAdmitted(cn));
    for (const { cn, name } of gone) this.#putOff(cn, `home '${name}'`);
    if (gone.length > 0) await Promise.all(this.#servers.map(async (server) => await server.putOffStrangers()));
    await this.#proxy.configure(this.#plan, this.signal);
    await this.#names.configure(this.#plan);
  }

  protected override async remove(signal: AbortSignal): Promise<void> {
    await stopRelay(this.host, signal);
  }

  #admit(): void {
    this.#admitted = new Set(this.#plan.book.homes.map(({ cn }) => cn));
    this.#link.admit(new Set(this.#plan.book.homes.map(({ number }) => number)));
  }

  /** Whether a certificate of this name is let in. Who is only being let in has no name of a home's yet. */
  #isAdmitted(commonName: string): boolean {
    return numberOfCommonName(commonName) === undefined || this.#admitted.has(commonName);
  }

  /**
   * Ends what came in by a certificate that is no longer let in: its home was removed or given a new key, now or while no daemon ran. What
   * its number claimed is void, even if the number stays with a home that has a new key.
   */
  #putOff(commonName: string, who: string): void {
    const number = numberOfCommonName(commonName);
    if (number === undefined || this.#strangers.has(commonName)) return;
    this.#strangers.add(commonName);
    this.log.write("info", `${who} is no longer let in`);
    this.#expel(number)
      .catch((error: unknown) => {
        if (!isAborted(this.signal)) this.log.write("error", error instanceof Error ? error.message : String(error));
      })
      .finally(() => this.#strangers.delete(commonName));
  }

  async #expel(number: number): Promise<void> {
    this.#link.forget(number);
    await expel(this.host, this.#plan, number, this.signal);
    for (const pause of LAST_WORDS) {
      await this.host.clock.sleep(pause, this.signal);
      if (this.#plan.book.homes.some((home) => home.number === number)) return;
      await expel(this.host, this.#plan, number, this.signal);
    }
  }

  protected override async reconcile(): Promise<Reconciled> {
    const limit = sendLimit(this.#link.need, this.#reserve);
    const desired = desiredState(this.#plan, this.#link.live(), this.#confined, this.#memory, limit);
    const failed = await this.#kernel.set(desired, this.signal);
    this.#confines = !failed.some(({ operation }) => operation.kind === "replace-nft");
    const failures = failed.map(({ message }) => message);
    for (const server of this.#servers) await server.followDevice();
    await this.#link.open(serviceAddress(this.#plan)).catch((error: unknown) => {
      failures.push(error instanceof Error ? error.message : String(error));
    });
    return { failures, ready: true };
  }

  protected override status(): RelayStatus {
    const complaints = [...this.#servers.map((server) => server.complaint), this.#names.complaint].filter((text) => text !== "");
    const warnings = [...this.configWarnings, ...this.failures, ...complaints];
    return relayStatus(this.#plan, this.#link, this.host.clock.monotonic(), warnings);
  }
}
