import { endingWith } from "../control/serve-daemon.ts";
import { MethodError, type Methods } from "../control/server.ts";
import type { Host } from "../host/types.ts";
import { Kernel } from "../kernel/kernel.ts";
import { watchKernel } from "../kernel/watch.ts";
import { readDataCiphers } from "../openvpn/ciphers.ts";
import { aborted, isAborted } from "../process/aborted.ts";
import { endAll } from "../process/end-named.ts";
import { machineMemory } from "../process/memory.ts";
import type { Log } from "../process/log.ts";
import { Wake } from "../process/wake.ts";
import { desiredState, lanesRouted } from "./desired.ts";
import { ExitProxy } from "./exit-proxy.ts";
import { LaneServer, laneProcess } from "./lane-server.ts";
import { LinkServer } from "./link-server.ts";
import { numberOfCommonName } from "./homes.ts";
import { NameServer } from "./name-server.ts";
import { relayOwnership } from "./ownership.ts";
import { loadRelay, RelayConfigurationError } from "./load.ts";
import { lanesOf, type RelayPlan, serviceAddress } from "./plan.ts";
import { expel } from "./expel.ts";
import { relayStatus } from "./status.ts";
import { stopRelay } from "./stop.ts";

const SWEEP = 10_000;
const RETRY = 1_000;

/** The relay's daemon. Made by runRelay (run.ts). */
export class RelayDaemon {
  readonly #host: Host;
  readonly #log: Log;
  readonly #end: AbortController;
  /** Fires with `end`, and before it when the relay is stopped for good. */
  readonly #work: AbortController;
  readonly #signal: AbortSignal;
  readonly #servers: readonly LaneServer[];
  readonly #proxy: ExitProxy;
  readonly #names: NameServer;
  readonly #link: LinkServer;
  readonly #changed = new Wake();
  readonly #confined: number;
  #memory = 0;
  readonly #kernel: Kernel;
  #plan: RelayPlan;
  /** Whether the nft table was as wanted when last looked at. */
  #confines = false;
  #turn: Promise<unknown> = Promise.resolve();
  #failures: readonly string[] = [];
  #configError = "";
  /** All that supervises and puts back. */
  #loops: Promise<void> = Promise.resolve();

  constructor(host: Host, log: Log, plan: RelayPlan, confined: number, end: AbortController) {
    this.#host = host;
    this.#log = log;
    this.#plan = plan;
    this.#confined = confined;
    this.#end = end;
    this.#work = endingWith(end.signal);
    this.#signal = this.#work.signal;
    this.#kernel = new Kernel(host, relayOwnership(plan));
    this.#servers = lanesOf(plan).map(
      (lane) =>
        new LaneServer(host, lane, (commonName) => {
          this.#meet(commonName).catch((error: unknown) => {
            if (!isAborted(this.#signal)) log.write("error", error instanceof Error ? error.message : String(error));
          });
        }),
    );
    this.#proxy = new ExitProxy(host);
    this.#names = new NameServer(host);
    this.#link = new LinkServer(host, plan.config.prefix, () => {
      this.#changed.set();
    });
  }

  methods(): Methods {
    return {
      status: async () => await Promise.resolve(this.#status()),
      events: async () => await Promise.resolve(this.#log.events),
      reload: async () => {
        await this.reload();
        return null;
      },
      stop: async () => {
        // Whoever would start a program or put a rule back must be gone first.
        this.#work.abort(new Error("stopped"));
        await this.#loops;
        await stopRelay(this.#host, this.#end.signal);
        // The answer goes out first.
        setTimeout(() => {
          this.#end.abort(new Error("stopped"));
        }, 50);
        return null;
      },
    };
  }

  async run(): Promise<void> {
    this.#loops = this.#live();
    await this.#loops;
    await aborted(this.#end.signal);
  }

  /** From the start to the stop; one that is stopped while it starts is no failure. */
  async #live(): Promise<void> {
    try {
      await this.#start();
      await this.#loop();
    } catch (error) {
      if (!isAborted(this.#signal)) throw error;
    } finally {
      this.#link.close();
    }
  }

  async #start(): Promise<void> {
    this.#memory = await machineMemory(this.#host);
    const ciphers = await readDataCiphers(this.#host);
    this.#admit();
    // The lanes of a former configuration have nobody else who ends them.
    const lanes = new Set(this.#servers.map(({ lane }) => laneProcess(lane)));
    await endAll(this.#host, (name) => name.startsWith("relay-lane-") && !lanes.has(name), this.#signal);
    this.#link.adopt(lanesRouted(this.#plan, (await this.#kernel.read(this.#signal)).routes));
    await this.#reconcile();
    // A home finds no program here that the kernel does not confine.
    while (!this.#confines) {
      await this.#changed.wait(RETRY, this.#signal);
      this.#signal.throwIfAborted();
      await this.#reconcile();
    }
    for (const server of this.#servers) await server.configure(this.#plan, ciphers);
    await this.#proxy.configure(this.#plan, this.#signal);
    await this.#names.configure(this.#plan);
  }

  async #loop(): Promise<void> {
    await Promise.all([
      ...this.#servers.map(async (server) => {
        await server.run(this.#signal);
      }),
      this.#proxy.supervisor.supervise(this.#signal),
      this.#names.supervisor.supervise(this.#signal),
      this.#reconcileLoop(),
      watchKernel(this.#host, relayOwnership(this.#plan), this.#signal, () => {
        this.#changed.set();
      }),
    ]);
  }

  /**
   * Reads the configuration and the book again. Homes that are gone are put off at once; nobody else is touched. What servers are
   * started with (port, prefix, lanes) changes by a restart alone.
   */
  async reload(): Promise<void> {
    // An earlier reload that is not done yet could put its older book over this one's.
    const mine = this.#turn.then(async () => {
      await this.#reload();
    });
    this.#turn = mine.catch(() => undefined);
    await mine;
  }

  async #reload(): Promise<void> {
    const before = this.#plan.book.homes;
    try {
      const { port, prefix, lanes } = this.#plan.config;
      this.#plan = await loadRelay(this.#host, this.#log, { port, prefix, lanes });
      this.#configError = "";
    } catch (error) {
      this.#configError = error instanceof Error ? error.message : String(error);
      this.#log.write("error", `the configuration is wrong, the last good one stays: ${this.#configError}`);
      throw new MethodError(error instanceof RelayConfigurationError ? 3 : 1, this.#configError, { cause: error });
    }
    const kept = new Set(this.#plan.book.homes.map((home) => home.cn));
    for (const home of before) {
      if (kept.has(home.cn)) continue;
      this.#log.write("info", `home '${home.name}' is no longer let in`);
      this.#admit();
      await this.#putOff(home.cn, home.number);
    }
    this.#admit();
    await this.#proxy.configure(this.#plan, this.#signal);
    await this.#names.configure(this.#plan);
    this.#changed.set();
  }

  #admit(): void {
    this.#link.admit(new Set(this.#plan.book.homes.map(({ number }) => number)));
  }

  /** A session that was there before this daemon: its home may have been removed, or given a new key, while no daemon ran. */
  async #meet(commonName: string): Promise<void> {
    const number = numberOfCommonName(commonName);
    if (number === undefined || this.#plan.book.homes.some(({ cn }) => cn === commonName)) return;
    this.#log.write("info", `${commonName} is no longer let in`);
    await this.#putOff(commonName, number);
  }

  /** Ends all that came in by this certificate. What its number claimed is void, even if the number stays with a home that has a new key. */
  async #putOff(commonName: string, number: number): Promise<void> {
    this.#link.forget(number);
    for (const server of this.#servers) await server.kill(commonName);
    await expel(this.#host, this.#plan, number, this.#signal);
  }

  async #reconcile(): Promise<boolean> {
    const failed = await this.#kernel.set(desiredState(this.#plan, this.#link.live(), this.#confined, this.#memory), this.#signal);
    this.#confines = !failed.some(({ operation }) => operation.kind === "replace-nft");
    const failures = failed.map(({ message }) => message);
    for (const server of this.#servers) await server.followDevice();
    await this.#link.open(serviceAddress(this.#plan)).catch((error: unknown) => {
      failures.push(error instanceof Error ? error.message : String(error));
    });
    const news = failures.filter((failure) => !this.#failures.includes(failure));
    for (const failure of news) this.#log.write("warning", failure);
    this.#failures = failures;
    // What failed twice in the same way will not be well a second later.
    return news.length === 0;
  }

  async #reconcileLoop(): Promise<void> {
    while (!this.#signal.aborted) {
      let well = false;
      try {
        well = await this.#reconcile();
      } catch (error) {
        if (isAborted(this.#signal)) return;
        this.#log.write("error", error instanceof Error ? error.message : String(error));
      }
      await this.#changed.wait(well ? SWEEP : RETRY, this.#signal);
    }
  }

  #status(): ReturnType<typeof relayStatus> {
    const wrong = this.#configError === "" ? [] : [`the configuration is wrong, the last good one is in use: ${this.#configError}`];
    const complaints = [...this.#servers.map((server) => server.complaint), this.#names.complaint].filter((text) => text !== "");
    return relayStatus(this.#plan, this.#link, this.#host.clock.monotonic(), [...wrong, ...this.#failures, ...complaints]);
  }
}
