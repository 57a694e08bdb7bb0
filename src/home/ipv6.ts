import type { Host } from "../host/types.ts";
import type { HomePlan } from "./plan.ts";

/** Scope of a global address in /proc/net/if_inet6. */
const GLOBAL = "00";

/** A warning for every captured LAN whose IPv6 goes around Binder. */
export async function lanIpv6Warnings(host: Host, plan: HomePlan): Promise<readonly string[]> {
  if (plan.config.main.ipv6 === "off" || (await host.files.status("/proc/net/if_inet6")) === undefined) return [];
  const rows = new TextDecoder().decode(await host.files.read("/proc/net/if_inet6")).split("\n");
  const devices = new Set(rows.map((row) => row.split(/\s+/)).flatMap((fields) => (fields[3] === GLOBAL ? [fields[5] ?? ""] : [])));
  return plan.lans
    .filter((lan) => devices.has(lan))
    .map((lan) => `${lan} has IPv6, which goes around Binder by one gateway alone: set binder.main.ipv6 to 'off' to prevent that`);
}
