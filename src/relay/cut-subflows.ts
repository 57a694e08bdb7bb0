import type { Host } from "../host/types.ts";
import { homeAddress } from "../plan/addresses.ts";
import { anyOf } from "../process/any-of.ts";
import { PORT_PROXY } from "../plan/numbers.ts";
import type { RelayPlan } from "./plan.ts";

/**
 * Ends the home's subflows over these lanes, which it says are dead: what they hold goes by the others at once. The home's own word to
 * this kernel (REMOVE_ADDR, RFC 8684 3.4.2) is sent once, by the oldest subflow, which may be the dead one. A kernel without
 * CONFIG_INET_DIAG_DESTROY waits for its timers.
 */
export async function cutSubflows(host: Host, plan: RelayPlan, home: number, lanes: readonly number[], signal: AbortSignal): Promise<void> {
  const addresses = lanes.map((lane) => homeAddress(plan.config.prefix, lane, home));
  try {
    await host.processes.run("ss", ["-K", "-tnH", "sport", "=", `:${String(PORT_PROXY)}`, "and", ...anyOf("dst", addresses)], signal);
  } catch {
    signal.throwIfAborted();
  }
}
