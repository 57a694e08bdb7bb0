import { formatPrefix, parseIpv4, parsePrefix } from "../plan/addresses.ts";
import type { ActualAddress } from "./actual.ts";
import type { IpOperation } from "./operations.ts";
import type { Endpoint, NextHop, Route, Rule, TunDevice } from "./state.ts";
import { hexadecimal } from "./text.ts";

/** A value that can't stand in a line for `ip -batch`. */
export class RenderError extends Error {
  override readonly name = "RenderError";
}

/**
 * One word of a batch line. `ip` splits lines at white space, unquotes, takes `#` for a comment and a backslash for a continuation
 * (iproute2, lib/utils.c, makeargs and getcmdline), so a word with one of these is refused.
 */
export function word(value: string): string {
  if (value === "" || value.startsWith("-") || /[\s\u0000-\u001f\u007f-\u009f"'`\\#]/.test(value)) {
    throw new RenderError(`${JSON.stringify(value)} can't be a word for ip: white space, quotes, #, \\ and a leading - are refused`);
  }
  return value;
}

/** A device's name as the kernel allows it (dev_valid_name, net/core/dev.c): 1 to 15 bytes, neither `.` nor `..`, no slash, no colon. */
function device(name: string): string {
  if (name.length > 15 || name === "." || name === ".." || /[/:]/.test(name))
    throw new RenderError(`${JSON.stringify(name)} is no device's name`);
  return word(name);
}

function integer(value: number, least: number, most: number): string {
  if (!Number.isInteger(value) || value < least || value > most) throw new RenderError(`${value} is not a number from ${least} to ${most}`);
  return String(value);
}

function host(address: string): string {
  if (parseIpv4(address) === undefined) throw new RenderError(`${JSON.stringify(address)} is no IPv4 address`);
  return address;
}

function prefix(text: string): string {
  const parsed = text === "default" ? { base: 0, length: 0 } : parsePrefix(text);
  if (parsed === undefined) throw new RenderError(`${JSON.stringify(text)} is no IPv4 prefix`);
  return formatPrefix(parsed);
}

const UINT32 = 0xffffffff;

function deviceLine({ name, mtu, txQueueLength }: TunDevice): string {
  return `link set dev ${device(name)} mtu ${integer(mtu, 68, 65535)} txqueuelen ${integer(txQueueLength, 0, UINT32)} up`;
}

function addressWords({ address, prefixLength, device: name, peer }: ActualAddress): string {
  const length = integer(prefixLength, 0, 32);
  const local = peer === undefined ? `${host(address)}/${length}` : `${host(address)} peer ${host(peer)}/${length}`;
  return `${local} dev ${device(name)}`;
}

function ruleWords(rule: Rule, protocol: number): string {
  const words = [`pref ${integer(rule.preference, 0, UINT32)}`];
  if (rule.from !== undefined) words.push(`from ${prefix(rule.from)}`);
  if (rule.to !== undefined) words.push(`to ${prefix(rule.to)}`);
  if (rule.mark) words.push(`fwmark ${hexadecimal(rule.mark.value)}/${hexadecimal(rule.mark.mask)}`);
  if (rule.incoming !== undefined) words.push(`iif ${device(rule.incoming)}`);
  if (rule.bound !== undefined) words.push(`oif ${device(rule.bound)}`);
  switch (rule.action.kind) {
    case "lookup":
      words.push(`lookup ${integer(rule.action.table, 1, UINT32)}`);
      if (rule.action.suppressPrefixLength !== undefined)
        words.push(`suppress_prefixlength ${integer(rule.action.suppressPrefixLength, 0, 32)}`);
      break;
    case "unreachable":
      words.push("type unreachable");
      break;
  }
  words.push(`protocol ${integer(protocol, 1, 255)}`);
  return words.join(" ");
}

function nextHopWords(hop: NextHop, alone: boolean): string {
  const words: string[] = alone ? [] : ["nexthop"];
  if (hop.via !== undefined) words.push(`via inet ${host(hop.via)}`);
  words.push(`dev ${device(hop.device)}`);
  if (!alone) words.push(`weight ${integer(hop.weight ?? 1, 1, 256)}`);
  if (hop.via !== undefined && hop.onlink === true) words.push("onlink");
  return words.join(" ");
}

function routeSelector(
  route: { readonly table: number; readonly destination: string; readonly metric?: number },
  protocol: number,
): string {
  const metric = route.metric === undefined ? "" : ` metric ${integer(route.metric, 0, UINT32)}`;
  return `${prefix(route.destination)} table ${integer(route.table, 1, UINT32)}${metric} protocol ${integer(protocol, 1, 255)}`;
}

function routeWords(route: Route, protocol: number): string {
  if ((route.kind === "unicast") !== route.nextHops.length > 0)
    throw new RenderError(`a ${route.kind} route with ${route.nextHops.length} next hops`);
  const words: string[] = [route.kind, routeSelector(route, protocol)];
  if (route.source !== undefined) words.push(`src ${host(route.source)}`);
  if (route.congestion !== undefined) words.push(`congctl ${word(route.congestion)}`);
  if (route.mtu !== undefined) words.push(`mtu ${integer(route.mtu, 68, 65535)}`);
  if (route.initialWindow !== undefined) words.push(`initcwnd ${integer(route.initialWindow, 1, 65535)}`);
  const alone = route.nextHops.length === 1;
  return [...words, ...route.nextHops.map((hop) => nextHopWords(hop, alone))].join(" ");
}

const endpointId = (id: number): string => integer(id, 1, 255);

function endpointWords(endpoint: Endpoint, id: number): string {
  const flags = endpoint.backup ? "subflow backup" : "subflow";
  const bound = endpoint.device === undefined ? "" : ` dev ${device(endpoint.device)}`;
  return `${host(endpoint.address)}${bound} id ${endpointId(id)} ${flags}`;
}

/** Types of routes by their numbers (RTN_UNICAST … in linux/rtnetlink.h): how `ip` names them. */
const ROUTE_TYPES: Readonly<Record<string, string>> = {
  1: "unicast",
  2: "local",
  3: "broadcast",
  4: "anycast",
  5: "multicast",
  6: "blackhole",
  7: "unreachable",
  8: "prohibit",
  9: "throw",
};

/**
 * The operation as lines for `ip -4 -batch -`. Names and addresses follow a keyword, so none is read as one. `newId` gives a fresh
 * identifier for an endpoint. Throws {@link RenderError} for what can't be said.
 */
export function renderIp(operation: IpOperation, protocol: number, newId: () => number): string[] {
  switch (operation.kind) {
    case "add-device":
      return [`tuntap add dev ${device(operation.device.name)} mode tun`, deviceLine(operation.device)];
    case "change-device":
      return [deviceLine(operation.device)];
    case "remove-device":
      return [`link delete dev ${device(operation.name)}`];
    case "add-address":
      return [`address replace ${addressWords(operation.address)}`];
    case "remove-address":
      return [`address delete ${addressWords(operation.address)}`];
    case "add-rule":
      return [`rule add ${ruleWords(operation.rule, protocol)}`];
    case "remove-rule":
      return [`rule delete ${ruleWords(operation.rule, protocol)}`];
    case "remove-odd-rule":
      return [`rule delete pref ${integer(operation.rule.preference, 0, UINT32)} protocol ${integer(protocol, 1, 255)}`];
    case "add-route":
      return [`route add ${routeWords(operation.route, protocol)}`];
    case "replace-route":
      return [`route replace ${routeWords(operation.route, protocol)}`];
    case "remove-route":
      return [`route delete ${routeWords(operation.route, protocol)}`];
    case "remove-odd-route":
      return [
        `route delete ${word(ROUTE_TYPES[operation.route.type] ?? operation.route.type)} ${routeSelector(operation.route, protocol)}`,
      ];
    case "add-endpoint":
      return [`mptcp endpoint add ${endpointWords(operation.endpoint, newId())}`];
    case "change-endpoint":
      return [`mptcp endpoint change id ${endpointId(operation.id)} ${operation.endpoint.backup ? "backup" : "nobackup"}`];
    case "remove-endpoint":
      return [`mptcp endpoint delete id ${endpointId(operation.id)}`];
    case "set-subflow-limit":
      return [`mptcp limits set subflow ${integer(operation.limit, 0, 8)}`];
  }
}
