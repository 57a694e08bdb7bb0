import { runDaemon } from "../control/run-daemon.ts";
import { CONTROL_SOCKET } from "../control/types.ts";
import type { Host } from "../host/types.ts";
import { Kernel } from "../kernel/kernel.ts";
import type { Log } from "../process/log.ts";
import { HomeDaemon } from "./daemon.ts";
import { readHome } from "./load.ts";
import { homeOwnership } from "./ownership.ts";

/**
 * Runs the home until the signal fires, or the method `stop`. On a signal the data path stays and the next daemon adopts it. Answers the
 * exit status: 0, or 3 if the configuration is wrong at the start, 1 if another daemon runs.
 */
export async function runHome(host: Host, signal: AbortSignal): Promise<number> {
  const make = async (log: Log, end: AbortController): Promise<HomeDaemon | number> => {
    const files = await readHome(host);
    if (!files.config.main.enabled) {
      log.write("info", "disabled in the configuration (binder.main.enabled)");
      return 0;
    }
    return new HomeDaemon(host, log, files, new Kernel(host, await homeOwnership(host, files)), end);
  };
  return await runDaemon(host, { path: CONTROL_SOCKET, called: "daemon", make }, signal);
}
