import { runDaemon } from "../control/run-daemon.ts";
import { RELAY_CONTROL_SOCKET } from "../control/types.ts";
import type { Host } from "../host/types.ts";
import type { Log } from "../process/log.ts";
import { findAccount } from "./accounts.ts";
import { RelayDaemon } from "./daemon.ts";
import { loadRelay } from "./load.ts";
import { PROXY_USER } from "./paths.ts";

/** Runs the relay until the signal fires or the method `stop`. Answers the exit status: 0, 3 for a wrong configuration, 1 otherwise. */
export async function runRelay(host: Host, signal: AbortSignal): Promise<number> {
  const make = async (log: Log, end: AbortController): Promise<RelayDaemon | number> => {
    const plan = await loadRelay(host, log);
    if (!plan.config.enabled) {
      log.write("info", "disabled in the configuration (binder-relay.main.enabled)");
      return 0;
    }
    const account = await findAccount(host, PROXY_USER);
    if (account === undefined) {
      log.write("error", `there is no user ${PROXY_USER}: run binder relay init`);
      return 1;
    }
    return new RelayDaemon(host, log, plan, account.uid, end);
  };
  return await runDaemon(host, { path: RELAY_CONTROL_SOCKET, called: "relay", make }, signal);
}
