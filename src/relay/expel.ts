import type { Host } from "../host/types.ts";
import { homeAddress } from "../plan/addresses.ts";
import { lanesOf, type RelayPlan } from "./plan.ts";

/** Ends what a home still has open at the relay: its flows and its proxied connections. Programs that are missing are passed over. */
export async function expel(host: Host, plan: RelayPlan, home: number, signal: AbortSignal): Promise<void> {
  const stable = homeAddress(plan.config.prefix, 0, home);
  const lanes = lanesOf(plan).map((lane) => homeAddress(plan.config.prefix, lane, home));
  await quietly(host, "conntrack", ["-D", "-s", stable], signal);
  for (const lane of lanes) {
    await quietly(host, "conntrack", ["-D", "-s", lane], signal);
    await quietly(host, "ss", ["-K", "dst", lane], signal);
  }
}

/** `conntrack -D` fails where there is nothing to delete, `ss -K` where the kernel lacks CONFIG_INET_DIAG_DESTROY. */
async function quietly(host: Host, program: string, args: readonly string[], signal: AbortSignal): Promise<void> {
  try {
    await host.processes.run(program, args, signal);
  } catch {
    signal.throwIfAborted();
  }
}
