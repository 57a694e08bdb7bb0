import { isDaemonRunning } from "../control/client.ts";
import { endingWith, serveDaemon } from "../control/serve-daemon.ts";
import { CONTROL_SOCKET } from "../control/types.ts";
import type { Host } from "../host/types.ts";
import { Kernel } from "../kernel/kernel.ts";
import { Log } from "../process/log.ts";
import { HomeDaemon } from "./daemon.ts";
import { ConfigurationError, type LoadedHome, loadHome } from "./load.ts";
import { homeOwnership } from "./ownership.ts";

/**
 * Runs the home until the signal fires, or the method `stop`. On a signal the data path stays and the next daemon adopts it. Answers the
 * exit status: 0, or 3 if the configuration is wrong at the start, 1 if another daemon runs.
 */
export async function runHome(host: Host, signal: AbortSignal): Promise<number> {
  const log = new Log(host);
  const end = endingWith(signal);
  if (await isDaemonRunning(host, CONTROL_SOCKET, end.signal)) {
    log.write("error", "another daemon runs already: binder status shows it, binder stop ends it");
    return 1;
  }
  let loaded: LoadedHome;
  try {
    loaded = await loadHome(host);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    host.program.stderr(`${error.message}\n`);
    return 3;
  }
  if (!loaded.plan.config.main.enabled) {
    log.write("info", "disabled in the configuration (binder.main.enabled)");
    return 0;
  }
  await host.files.makeDirectory("/run/binder", 0o755);
  const daemon = new HomeDaemon(host, log, loaded, new Kernel(host, await homeOwnership(host, loaded.plan)), end);
  await serveDaemon(host, CONTROL_SOCKET, daemon, end);
  return 0;
}
