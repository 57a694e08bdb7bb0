import { isDaemonRunning } from "../control/client.ts";
import { endingWith, serveDaemon } from "../control/serve-daemon.ts";
import { RELAY_CONTROL_SOCKET } from "../control/types.ts";
import type { Host } from "../host/types.ts";
import { Log } from "../process/log.ts";
import { findAccount } from "./accounts.ts";
import { RelayDaemon } from "./daemon.ts";
import { loadRelay, RelayConfigurationError } from "./load.ts";
import { PROXY_USER } from "./paths.ts";
import type { RelayPlan } from "./plan.ts";

/** Runs the relay until the signal fires or the method `stop`. Answers the exit status: 0, 3 for a wrong configuration, 1 otherwise. */
export async function runRelay(host: Host, signal: AbortSignal): Promise<number> {
  const log = new Log(host);
  const end = endingWith(signal);
  if (await isDaemonRunning(host, RELAY_CONTROL_SOCKET, end.signal)) {
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
  if (!plan.config.enabled) {
    log.write("info", "disabled in the configuration (binder-relay.main.enabled)");
    return 0;
  }
  const account = await findAccount(host, PROXY_USER);
  if (account === undefined) {
    log.write("error", `there is no user ${PROXY_USER}: run binder relay init`);
    return 1;
  }
  await host.files.makeDirectory("/run/binder", 0o755);
  const daemon = new RelayDaemon(host, log, plan, account.uid, end);
  await serveDaemon(host, RELAY_CONTROL_SOCKET, daemon, end);
  return 0;
}
