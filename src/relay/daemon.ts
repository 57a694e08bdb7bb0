import { formatConfigError, parseRelayConfig } from "../config/index.ts";
import type { RelayConfig } from "../config/relay-types.ts";
import { callControl, NotRunningError } from "../control/client.ts";
import { MethodError, type Methods, serveControl } from "../control/server.ts";
import { RELAY_CONTROL_SOCKET } from "../control/types.ts";
import type { Host } from "../host/types.ts";
import { Kernel } from "../kernel/kernel.ts";
import { watchKernel } from "../kernel/watch.ts";
import { readDataCiphers } from "../openvpn/ciphers.ts";
import { aborted, isAborted } from "../process/aborted.ts";
import { formatPrefix } from "../plan/addresses.ts";
import { Log } from "../process/log.ts";
import { Wake } from "../process/wake.ts";
import { findAccount } from "./accounts.ts";
import { syncAdmitted } from "./admitted.ts";
import { desiredState } from "./desired.ts";
import { ExitProxy } from "./exit-proxy.ts";
import { LaneServer } from "./lane-server.ts";
import { LinkServer } from "./link-server.ts";
import { NameServer } from "./name-server.ts";
import { relayOwnership } from "./ownership.ts";
import { PROXY_USER, RELAY_CONFIG, VPN_USER } from "./paths.ts";
import { lanesOf, type RelayPlan, serviceAddress } from "./plan.ts";
import { expel } from "./expel.ts";
import { relayStatus } from "./status.ts";
import { stopRelay } from "./stop.ts";

const SWEEP = 10_000;
const RETRY = 1_000;

/** The configuration is wrong; `message` has every error, one a line. */
class RelayConfigurationError extends Error {
  override readonly name = "RelayConfigurationError";
}

/** What servers were started with: it changes by a restart alone. */
type Fixed = Pick<RelayConfig, "port" | "prefix" | "lanes">;

/** Reads the configuration, with `fixed` in place of its own, and the book, and lets in whom the book names. */
async function loadRelay(host: Host, log: Log, fixed?: Fixed): Promise<RelayPlan> {
  if ((await host.files.status(RELAY_CONFIG)) === undefined)
    throw new RelayConfigurationError(`${RELAY_CONFIG} does not exist: run binder relay init`);
  const result = parseRelayConfig(RELAY_CONFIG, await host.files.read(RELAY_CONFIG));
  if (!result.ok) throw new RelayConfigurationError(result.errors.map(formatConfigError).join("\n"));
  const account = await findAccount(host, VPN_USER);
  if (account === undefined) throw new RelayConfigurationError(`there is no user ${VPN_USER}: run binder relay init`);
  if (fixed !== undefined && fixedText(fixed) !== fixedText(result.config)) {
    log.write("warning", "port, prefix and lanes change when the relay is restarted (binder stop, binder relay run)");
  }
  const config = { ...result.config, ...fixed };
  return { config, book: await syncAdmitted(host, { prefix: config.prefix, lanes: config.lanes, group: account.gid }) };
}

const fixedText = ({ port, prefix, lanes }: Fixed): string => `${port} ${formatPrefix(prefix)} ${lanes}`;

/** The relay's daemon. Made by {@link runRelay}. */
class RelayDaemon {
  readonly #host: Host;
  readonly #log: Log;
  readonly #end: AbortController;
  /** Fires with `end`, and before it when the relay is stopped for good. */
  readonly #work = new AbortController();
  readonly #signal: AbortSignal;
  readonly #servers: readonly LaneServer[];
  readonly #proxy: ExitProxy;
  readonly #names: NameServer;
  readonly #link: LinkServer;
  readonly #changed = new Wake();
  readonly #confined: number;
  readonly #kernel: Kernel;
  #plan: RelayPlan;
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
    this.#signal = this.#work.signal;
    end.signal.addEventListener(
      "abort",
      () => {
        this.#work.abort(end.signal.reason);
      },
      { once: true },
    );
    this.#kernel = new Kernel(host, relayOwnership(plan));
    this.#servers = lanesOf(plan).map((lane) => new LaneServer(host, lane));
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
    const ciphers = await readDataCiphers(this.#host);
    await this.#reconcile();
    for (const server of this.#servers) await server.configure(this.#plan, ciphers);
    await this.#proxy.configure(this.#plan, this.#signal);
    await this.#names.configure(this.#plan);
    this.#loops = this.#loop();
    await this.#loops;
    await aborted(this.#end.signal);
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
    this.#link.close();
  }

  /**
   * Reads the configuration and the book again. Homes that are gone are put off at once; nobody else is touched. What servers are
   * started with (port, prefix, lanes) changes by a restart alone.
   */
  async reload(): Promise<void> {
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
      if (!this.#plan.book.homes.some(({ number }) => number === home.number)) this.#link.forget(home.number);
      for (const server of this.#servers) await server.kill(home.cn);
      await expel(this.#host, this.#plan, home.number, this.#signal);
    }
    await this.#proxy.configure(this.#plan, this.#signal);
    await this.#names.configure(this.#plan);
    this.#changed.set();
  }

  async #reconcile(): Promise<boolean> {
    const failures = (await this.#kernel.set(desiredState(this.#plan, this.#link.live(), this.#confined), this.#signal)).map(
      ({ message }) => message,
    );
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

/** Runs the relay until the signal fires or the method `stop`. Answers the exit status: 0, 3 for a wrong configuration, 1 otherwise. */
export async function runRelay(host: Host, signal: AbortSignal): Promise<number> {
  const log = new Log(host);
  const end = new AbortController();
  const onAbort = (): void => {
    end.abort(signal.reason);
  };
  signal.addEventListener("abort", onAbort, { once: true });
  if (await isRunning(host, end.signal)) {
    log.write("error", "another relay runs already: binder status shows it, binder stop ends it");
    return 1;
  }
  let plan: RelayPlan;
  try {
    plan = await loadRelay(host, log);
  } catch (error) {
    if (!(error instanceof RelayConfigurationError)) throw error;
    host.program.stderr(`${error.message}\n`);
    return 3;
  }
  const account = await findAccount(host, PROXY_USER);
  if (account === undefined) {
    log.write("error", `there is no user ${PROXY_USER}: run binder relay init`);
    return 1;
  }
  await host.files.makeDirectory("/run/binder", 0o755);
  const daemon = new RelayDaemon(host, log, plan, account.uid, end);
  host.program.onSignal("SIGHUP", () => {
    daemon.reload().catch(() => undefined);
  });
  const listener = await serveControl(host, RELAY_CONTROL_SOCKET, daemon.methods());
  try {
    await daemon.run();
  } catch (error) {
    if (!end.signal.aborted) throw error;
  } finally {
    end.abort(new Error("the daemon ends"));
    await listener.close();
    await host.files.remove(RELAY_CONTROL_SOCKET);
  }
  return 0;
}

async function isRunning(host: Host, signal: AbortSignal): Promise<boolean> {
  try {
    await callControl(host, RELAY_CONTROL_SOCKET, "status", {}, signal);
    return true;
  } catch (error) {
    return !(error instanceof NotRunningError);
  }
}
