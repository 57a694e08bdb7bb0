import { ConfigurationError } from "../config/configuration-error.ts";
import { RUN_DIRECTORY } from "../plan/run-directory.ts";
import type { Host } from "../host/types.ts";
import { endingWith } from "../process/aborted.ts";
import { Log } from "../process/log.ts";
import { isDaemonRunning } from "./client.ts";
import type { Daemon } from "./daemon.ts";
import { serveControl } from "./server.ts";

/** A daemon that is yet to be made. */
export interface DaemonToRun {
  /** Its socket, absolute. One daemon at a time listens there. */
  readonly path: string;
  /** The word for it in a sentence. */
  readonly called: string;
  /** Makes it, or answers an exit status if there is nothing to run. Rejects with ConfigurationError if the configuration is wrong. */
  readonly make: (log: Log, end: AbortController) => Promise<Daemon | number>;
}

/**
 * Runs a daemon and serves its methods until the signal fires or the method `stop`. SIGHUP reads the configuration again. Answers the
 * exit status: 0, 1 if another one runs, 3 for a wrong configuration at the start, or what `make` answers.
 */
export async function runDaemon(host: Host, { path, called, make }: DaemonToRun, signal: AbortSignal): Promise<number> {
  const log = new Log(host);
  const end = endingWith(signal);
  if (await isDaemonRunning(host, path, end.signal)) {
    log.write("error", `another ${called} runs already: binder status shows it, binder stop ends it`);
    return 1;
  }
  let daemon: Daemon | number;
  try {
    daemon = await make(log, end);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    host.program.stderr(`${error.message}\n`);
    return 3;
  }
  if (typeof daemon === "number") return daemon;
  await host.files.makeDirectory(RUN_DIRECTORY, 0o755);
  await serve(host, path, daemon, end);
  return 0;
}

async function serve(host: Host, path: string, daemon: Daemon, end: AbortController): Promise<void> {
  host.program.onSignal("SIGHUP", () => {
    // It tells its log what is wrong.
    daemon.reload().catch(() => undefined);
  });
  const listener = await serveControl(host, path, daemon.methods());
  try {
    await daemon.run();
  } catch (error) {
    if (!end.signal.aborted) throw error;
  } finally {
    end.abort(new Error("the daemon ends"));
    await listener.close();
    await host.files.remove(path);
  }
}
