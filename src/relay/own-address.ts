import type { Host } from "../host/types.ts";
import { contains, parseIpv4, parsePrefix } from "../plan/addresses.ts";

/** Any address out there: the kernel is only asked which way it would go. */
const FAR_AWAY = "1.0.0.1";

/** The address that this machine uses towards the Internet, and the device; undefined without a default route. */
export async function ownAddress(
  host: Host,
  signal: AbortSignal,
): Promise<{ readonly address: string; readonly device: string } | undefined> {
  const { status, stdout } = await host.processes.run("ip", ["-4", "-j", "route", "get", FAR_AWAY], signal);
  if (status !== 0) return undefined;
  const answer: unknown = JSON.parse(new TextDecoder().decode(stdout));
  const route: unknown = Array.isArray(answer) ? answer[0] : undefined;
  if (typeof route !== "object" || route === null || !("prefsrc" in route) || !("dev" in route)) return undefined;
  const { prefsrc, dev } = route;
  return typeof prefsrc === "string" && typeof dev === "string" ? { address: prefsrc, device: dev } : undefined;
}

/** Private, shared and link-local space: a machine with such an address is behind somebody's NAT. */
const NOT_PUBLIC = ["10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"];

export function isPrivate(address: string): boolean {
  const value = parseIpv4(address);
  return value !== undefined && NOT_PUBLIC.map(parsePrefix).some((prefix) => prefix !== undefined && contains(prefix, value));
}
