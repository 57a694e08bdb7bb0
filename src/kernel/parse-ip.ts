import { contains, type Prefix, parseIpv4 } from "../plan/addresses.ts";
import type { ActualAddress, ActualDevice, ActualEndpoint, OddRoute, OddRule } from "./actual.ts";
import { asList, asNumber, asObjects, asText, type JsonObject } from "./json.ts";
import type { NextHop, Route, Rule } from "./state.ts";
import { canonicalPrefix } from "./text.ts";

/**
 * Parsers of what `ip -N -d -j` prints; iproute2 6.1 and 6.15 print the same. With -N tables, protocols and types are numbers,
 * whatever files of names the machine has. What they do not know they pass over, as newer versions print more.
 */

/** `ip -d -j addr show`: links, and their addresses. */
export function parseLinks(
  list: unknown,
  devicePrefix: string,
  prefixes: readonly Prefix[],
): { readonly devices: ActualDevice[]; readonly addresses: ActualAddress[] } {
  const devices: ActualDevice[] = [];
  const addresses: ActualAddress[] = [];
  for (const link of asObjects(list)) {
    const name = asText(link["ifname"]) ?? "";
    const own = name.startsWith(devicePrefix);
    if (own) devices.push(parseDevice(link, name));
    else if (name !== "lo") continue;
    for (const item of asObjects(link["addr_info"])) {
      const address = parseAddress(item, name);
      if (address && (own || isWithin(prefixes, address.address))) addresses.push(address);
    }
  }
  return { devices, addresses };
}

export function isWithin(prefixes: readonly Prefix[], address: string): boolean {
  const number = parseIpv4(address);
  return number !== undefined && prefixes.some((prefix) => contains(prefix, number));
}

function object(value: unknown): JsonObject {
  return asObjects([value])[0] ?? {};
}

function parseDevice(link: JsonObject, name: string): ActualDevice {
  const info = object(link["linkinfo"]);
  const data = object(info["info_data"]);
  return {
    name,
    mtu: asNumber(link["mtu"]) ?? 0,
    txQueueLength: asNumber(link["txqlen"]) ?? 0,
    up: asList(link["flags"]).includes("UP"),
    persistentTun: info["info_kind"] === "tun" && data["type"] === "tun" && data["persist"] === true,
  };
}

function parseAddress(item: JsonObject, device: string): ActualAddress | undefined {
  const address = asText(item["local"]);
  const prefixLength = asNumber(item["prefixlen"]);
  if (item["family"] !== "inet" || address === undefined || prefixLength === undefined) return undefined;
  const peer = asText(item["address"]);
  return { device, address, prefixLength, ...(peer === undefined ? {} : { peer }) };
}

function parseSelector(item: JsonObject, key: "src" | "dst"): string | undefined {
  const address = asText(item[key]);
  if (address === undefined || address === "all" || address === "0.0.0.0") return undefined;
  return canonicalPrefix(`${address}/${asNumber(item[`${key}len`]) ?? 32}`);
}

/** Selectors and actions that {@link Rule} has not. */
const ODD_RULE_KEYS = ["not", "tos", "dscp", "ipproto", "sport", "sport_start", "dport", "dport_start", "uid_start", "tun_id", "l3mdev"];
const ODD_RULE_MORE = ["goto", "suppress_ifgroup", "nat_gateway", "flow", "iif_detached_group"];
/** FR_ACT_UNREACHABLE, linux/fib_rules.h. */
const UNREACHABLE = "7";

function parseAction(item: JsonObject): Rule["action"] | undefined {
  const action = asText(item["action"]);
  const table = asNumber(item["table"]);
  if (action === UNREACHABLE || action === "unreachable") return { kind: "unreachable" };
  if (action !== undefined || table === undefined) return undefined;
  const suppressed = asNumber(item["suppress_prefixlen"]);
  return { kind: "lookup", table, ...(suppressed === undefined ? {} : { suppressPrefixLength: suppressed }) };
}

/** `ip -N -j rule show`: those with this protocol. */
export function parseRules(list: unknown, protocol: number): { readonly rules: Rule[]; readonly oddRules: OddRule[] } {
  const rules: Rule[] = [];
  const oddRules: OddRule[] = [];
  for (const item of asObjects(list)) {
    if (asNumber(item["protocol"]) !== protocol) continue;
    const preference = asNumber(item["priority"]) ?? 0;
    const action = parseAction(item);
    if (action === undefined || [...ODD_RULE_KEYS, ...ODD_RULE_MORE].some((key) => key in item)) {
      oddRules.push({ preference });
      continue;
    }
    const from = parseSelector(item, "src");
    const to = parseSelector(item, "dst");
    const mark = asNumber(item["fwmark"]);
    const incoming = asText(item["iif"]);
    const bound = asText(item["oif"]);
    rules.push({
      preference,
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
      ...(mark === undefined ? {} : { mark: { value: mark, mask: asNumber(item["fwmask"]) ?? 0xffffffff } }),
      ...(incoming === undefined ? {} : { incoming }),
      ...(bound === undefined ? {} : { bound }),
      action,
    });
  }
  return { rules, oddRules };
}

/** What {@link Route} and {@link NextHop} have not: encapsulation, nexthop objects, a service class, a gateway of another family. */
const isOdd = (item: JsonObject): boolean => ["encap", "nhid", "tos", "via", "src"].some((key) => key in item);

function parseNextHop(item: JsonObject): NextHop | undefined {
  const device = asText(item["dev"]);
  if (device === undefined || isOdd(item)) return undefined;
  const via = asText(item["gateway"]);
  const weight = asNumber(item["weight"]);
  const onlink = via !== undefined && asList(item["flags"]).includes("onlink");
  return { device, ...(via === undefined ? {} : { via }), ...(onlink ? { onlink } : {}), ...(weight === undefined ? {} : { weight }) };
}

/** What of a route's metrics {@link Route} has. */
const ROUTE_METRICS: ReadonlySet<string> = new Set(["congestion", "mtu", "initcwnd"]);

function parseRoute(item: JsonObject, table: number, destination: string, metric: number | undefined): Route | undefined {
  const type = asText(item["type"]) ?? "unicast";
  const metrics = object(asList(item["metrics"])[0]);
  if (isOdd(item) || Object.keys(metrics).some((key) => !ROUTE_METRICS.has(key))) return undefined;
  const source = asText(item["prefsrc"]);
  const congestion = asText(metrics["congestion"]);
  const mtu = asNumber(metrics["mtu"]);
  const initialWindow = asNumber(metrics["initcwnd"]);
  const common = {
    table,
    destination,
    ...(metric === undefined ? {} : { metric }),
    ...(source === undefined ? {} : { source }),
    ...(congestion === undefined ? {} : { congestion }),
    ...(mtu === undefined ? {} : { mtu }),
    ...(initialWindow === undefined ? {} : { initialWindow }),
  };
  if (type === "unreachable" || type === UNREACHABLE) return { ...common, kind: "unreachable", nextHops: [] };
  const several = "nexthops" in item ? asObjects(item["nexthops"]) : [item];
  const nextHops = several.map(parseNextHop).filter((hop) => hop !== undefined);
  if ((type !== "unicast" && type !== "1") || nextHops.length < several.length) return undefined;
  return { ...common, kind: "unicast", nextHops };
}

/** `ip -N -d -j route show table all protocol N`, its IPv4 part. */
export function parseRoutes(list: unknown): { readonly routes: Route[]; readonly oddRoutes: OddRoute[] } {
  const routes: Route[] = [];
  const oddRoutes: OddRoute[] = [];
  for (const item of asObjects(list)) {
    const destination = asText(item["dst"]) ?? "";
    const table = asNumber(item["table"]) ?? 0;
    // The dump has IPv6 too; its default route is told by where it leads.
    const gateway = asText(item["gateway"]) ?? asText(asObjects(item["nexthops"])[0]?.["gateway"]) ?? "";
    if (destination.includes(":") || gateway.includes(":") || item["pref"] !== undefined) continue;
    const metric = asNumber(item["metric"]);
    const route = parseRoute(item, table, canonicalPrefix(destination), metric);
    if (route) routes.push(route);
    else oddRoutes.push({ table, destination, type: asText(item["type"]) ?? "1", ...(metric === undefined ? {} : { metric }) });
  }
  return { routes, oddRoutes };
}

/** `ip -j mptcp endpoint show`: those whose address is in the prefixes, and the identifiers of all. */
export function parseEndpoints(
  list: unknown,
  prefixes: readonly Prefix[],
): { readonly endpoints: ActualEndpoint[]; readonly ids: number[] } {
  const endpoints: ActualEndpoint[] = [];
  const ids: number[] = [];
  for (const item of asObjects(list)) {
    const address = asText(item["address"]) ?? "";
    const id = asNumber(item["id"]) ?? 0;
    ids.push(id);
    if (!isWithin(prefixes, address)) continue;
    const device = asText(item["dev"]);
    endpoints.push({
      address,
      ...(device === undefined ? {} : { device }),
      backup: item["backup"] === true,
      id,
      odd: item["subflow"] !== true || item["signal"] === true || item["fullmesh"] === true || item["port"] !== undefined,
      implicit: item["implicit"] === true,
    });
  }
  return { endpoints, ids };
}

/** `ip -j mptcp limits show`, which is text up to some version and JSON after; undefined if it is neither. */
export function parseSubflowLimit(text: string): number | undefined {
  const digits = /"?subflows"?[ :]+([0-9]+)/.exec(text)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
