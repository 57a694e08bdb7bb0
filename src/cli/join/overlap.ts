import type { Host } from "../../host/types.ts";
import { overlap, parsePrefix, type Prefix } from "../../plan/addresses.ts";
import { DEVICE_PREFIX, PROTOCOL } from "../../plan/numbers.ts";
import { CommandError, STATUS } from "../frame.ts";

/** Default routes, and the halves that some VPNs put in their stead: they claim no address for themselves. */
const NEARLY_EVERYTHING = 1;

/**
 * The first route of the main table whose addresses overlap the prefix, as a person knows it: `198.19.4.0/24 via 10.0.0.1 dev br-mesh`;
 * undefined if there is none. Binder's own routes don't count.
 */
export async function findOverlap(host: Host, prefix: Prefix, signal: AbortSignal): Promise<string | undefined> {
  const { status, stdout, stderr } = await host.processes.run("ip", ["-4", "-j", "route"], signal);
  if (status !== 0)
    throw new CommandError(STATUS.failed, `ip -j route failed: ${new TextDecoder().decode(stderr).trim()} (on OpenWrt install ip-full)`);
  const text = new TextDecoder().decode(stdout).trim();
  const routes: unknown = text === "" ? [] : JSON.parse(text);
  if (!Array.isArray(routes)) return undefined;
  return routes.map((route: unknown) => overlapping(route, prefix)).find((found) => found !== undefined);
}

function overlapping(route: unknown, prefix: Prefix): string | undefined {
  const destination = field(route, "dst");
  const target = destination === undefined ? undefined : parsePrefix(destination);
  if (destination === undefined || target === undefined || target.length <= NEARLY_EVERYTHING || !overlap(target, prefix)) return undefined;
  const device = field(route, "dev");
  if (field(route, "protocol") === String(PROTOCOL) || device?.startsWith(DEVICE_PREFIX) === true) return undefined;
  const via = field(route, "gateway");
  return `${destination}${via === undefined ? "" : ` via ${via}`}${device === undefined ? "" : ` dev ${device}`}`;
}

function field(route: unknown, name: string): string | undefined {
  if (typeof route !== "object" || route === null) return undefined;
  const value: unknown = Object.entries(route).find(([key]) => key === name)?.[1];
  return typeof value === "string" ? value : undefined;
}
