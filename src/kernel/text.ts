/** The kernel's objects as lines of text: to compare, to name in an error, and to read in a test. Equal objects have equal texts. */
import { formatPrefix, parsePrefix } from "../plan/addresses.ts";
import type { Address, Endpoint, KernelState, NextHop, Route, Rule, Sysctl, TunDevice } from "./state.ts";

/** `198.18.213.1` for `198.18.213.1/32`, and `default` for `0.0.0.0/0`. */
export function canonicalPrefix(text: string): string {
  const prefix = parsePrefix(text);
  if (prefix === undefined) return text;
  const long = formatPrefix(prefix);
  if (prefix.length === 32) return long.slice(0, -"/32".length);
  return prefix.length === 0 ? "default" : long;
}

export function deviceText(device: TunDevice): string {
  return `tun ${device.name} mtu ${device.mtu} txqueuelen ${device.txQueueLength}`;
}

export function addressText(address: Address): string {
  return `address ${address.address}/${address.prefixLength} dev ${address.device}`;
}

export const hexadecimal = (value: number): string => `0x${(value >>> 0).toString(16)}`;

const selects = (prefix: string | undefined): prefix is string => prefix !== undefined && canonicalPrefix(prefix) !== "default";

export function ruleText(rule: Rule): string {
  const words = [`rule ${rule.preference}:`];
  if (selects(rule.from)) words.push(`from ${canonicalPrefix(rule.from)}`);
  if (selects(rule.to)) words.push(`to ${canonicalPrefix(rule.to)}`);
  if (rule.mark) words.push(`fwmark ${hexadecimal(rule.mark.value)}/${hexadecimal(rule.mark.mask)}`);
  if (rule.incoming !== undefined) words.push(`iif ${rule.incoming}`);
  if (rule.bound !== undefined) words.push(`oif ${rule.bound}`);
  switch (rule.action.kind) {
    case "lookup":
      words.push(`lookup ${rule.action.table}`);
      if (rule.action.suppressPrefixLength !== undefined) words.push(`suppress_prefixlength ${rule.action.suppressPrefixLength}`);
      break;
    case "unreachable":
      words.push("unreachable");
      break;
  }
  return words.join(" ");
}

function nextHopText(hop: NextHop, alone: boolean): string {
  const via = hop.via === undefined ? "" : `via ${hop.via} `;
  const weight = alone ? "" : ` weight ${hop.weight ?? 1}`;
  const onlink = hop.via !== undefined && hop.onlink === true ? " onlink" : "";
  return `${via}dev ${hop.device}${weight}${onlink}`;
}

/** The kernel has one route of a kind under this key, and `replace` changes it in place. */
export function routeKey(route: { readonly table: number; readonly destination: string; readonly metric?: number }): string {
  return `${canonicalPrefix(route.destination)} table ${route.table} metric ${route.metric ?? 0}`;
}

/** The next hops' order says nothing, and the weight of one alone neither. */
export function routeText(route: Route): string {
  const words = [`route ${route.kind} ${routeKey(route)}`];
  if (route.source !== undefined) words.push(`src ${route.source}`);
  if (route.congestion !== undefined) words.push(`congctl ${route.congestion}`);
  if (route.mtu !== undefined) words.push(`mtu ${route.mtu}`);
  if (route.initialWindow !== undefined) words.push(`initcwnd ${route.initialWindow}`);
  const alone = route.nextHops.length === 1;
  const hops = route.nextHops.map((hop) => nextHopText(hop, alone)).sort();
  return [...words, ...hops.map((hop) => (alone ? hop : `nexthop ${hop}`))].join(" ");
}

export function endpointText(endpoint: Endpoint): string {
  const bound = endpoint.device === undefined ? "" : ` dev ${endpoint.device}`;
  return `endpoint ${endpoint.address}${bound} subflow${endpoint.backup ? " backup" : ""}`;
}

/** `4096 131072 6291456`: the kernel separates by tabs. */
export const canonicalValue = (value: string): string => value.trim().split(/\s+/).join(" ");

export function sysctlText(sysctl: Sysctl): string {
  return `sysctl ${sysctl.key} ${sysctl.mode === "raise" ? ">=" : "="} ${canonicalValue(sysctl.value)}`;
}

/** The whole state, one object a line, sorted within each kind: two equal states have the same text. */
export function stateText(state: KernelState): string {
  const lines = [
    ...state.devices.map(deviceText).sort(),
    ...state.addresses.map(addressText).sort(),
    ...state.rules.map(ruleText).sort(),
    ...state.routes.map(routeText).sort(),
    ...state.endpoints.map(endpointText).sort(),
    ...(state.subflowLimit > 0 ? [`mptcp subflows ${state.subflowLimit}`] : []),
    ...state.sysctls.map(sysctlText).sort(),
    ...(state.nft === undefined ? [] : ["nft {", ...state.nft.split("\n").map((line) => `  ${line}`), "}"]),
  ];
  return lines.map((line) => `${line}\n`).join("");
}
