import { contains, parseIpv4 } from "../plan/addresses.ts";
import type { ActualAddress, ActualState, OddRoute } from "./actual.ts";
import type { Operation } from "./operations.ts";
import type { Address, KernelState, Route } from "./state.ts";
import { addressText, deviceText, endpointText, routeKey, routeText, ruleText } from "./text.ts";
import { valuesToRestore, valuesToSet } from "./values.ts";

/**
 * The operations that lead from the actual state to the desired one, in the order to do them. Pure; none if they are equal.
 *
 * What is new is made first, from the ground up (devices, addresses, routes, rules, endpoints), then nft changes at one stroke, then
 * what is no longer wanted goes from the top down: so no rule ever leads to an empty table, and no packet is captured without a way.
 * Only what stands in the way of something new goes before it; endpoints do, as the kernel has room for eight.
 */
export function diff(desired: KernelState, actual: ActualState): Operation[] {
  const devices = diffDevices(desired, actual);
  const remaining = withoutDevices(actual, devices.remade);
  const addresses = diffAddresses(desired, remaining, devices.gone);
  const routes = diffRoutes(desired, remaining);
  const rules = diffRules(desired, actual);
  const endpoints = diffEndpoints(desired, actual);
  return [
    ...endpoints.removed,
    ...devices.inTheWay,
    ...addresses.inTheWay,
    ...devices.added,
    ...valuesToSet(desired, actual, devices.made),
    ...addresses.added,
    ...routes.added,
    ...rules.added,
    ...endpoints.added,
    ...diffNft(desired, actual),
    ...rules.removed,
    ...routes.removed,
    ...addresses.removed,
    ...devices.removed,
    ...valuesToRestore(desired, actual),
  ];
}

/** Of several with the same text, one. */
function unique<T>(items: readonly T[], textOf: (item: T) => string): T[] {
  return [...new Map(items.map((item) => [textOf(item), item])).values()];
}

function diffDevices(desired: KernelState, actual: ActualState) {
  const inTheWay: Operation[] = [];
  const added: Operation[] = [];
  const removed: Operation[] = [];
  const made = new Set<string>();
  const remade = new Set<string>();
  const gone = new Set<string>();
  const present = new Map(actual.devices.map((device) => [device.name, device]));
  const wanted = new Set(desired.devices.map(({ name }) => name));
  for (const device of unique(desired.devices, ({ name }) => name)) {
    const found = present.get(device.name);
    if (found?.persistentTun === true) {
      if (!found.up || deviceText(found) !== deviceText(device)) added.push({ kind: "change-device", device });
      continue;
    }
    if (found) {
      inTheWay.push({ kind: "remove-device", name: device.name });
      remade.add(device.name);
    }
    added.push({ kind: "add-device", device });
    made.add(device.name);
  }
  for (const { name } of actual.devices) {
    if (wanted.has(name)) continue;
    removed.push({ kind: "remove-device", name });
    gone.add(name);
  }
  return { inTheWay, added, removed, made, remade, gone };
}

/** What is left when these devices went: the kernel drops their addresses, and every route that names them, whole. */
function withoutDevices(actual: ActualState, names: ReadonlySet<string>): ActualState {
  if (names.size === 0) return actual;
  return {
    ...actual,
    addresses: actual.addresses.filter(({ device }) => !names.has(device)),
    routes: actual.routes.filter(({ nextHops }) => !nextHops.some(({ device }) => names.has(device))),
  };
}

/** Whether the kernel would take one for a secondary address of the other, and remove it with its primary (devinet.c). */
function shareSubnet(a: Address, b: Address): boolean {
  if (a.device !== b.device || a.prefixLength !== b.prefixLength) return false;
  const [first, second] = [parseIpv4(a.address), parseIpv4(b.address)];
  if (first === undefined || second === undefined) return false;
  const size = 2 ** (32 - a.prefixLength);
  return contains({ base: first - (first % size), length: a.prefixLength }, second);
}

function diffAddresses(desired: KernelState, actual: ActualState, gone: ReadonlySet<string>) {
  const inTheWay: Operation[] = [];
  const removed: Operation[] = [];
  const textOf = (address: ActualAddress): string => `${addressText(address)} peer ${address.peer ?? ""}`;
  const present = new Set(actual.addresses.map(textOf));
  const wanted = new Set(desired.addresses.map(textOf));
  const added = unique(desired.addresses, textOf).filter((address) => !present.has(textOf(address)));
  for (const address of actual.addresses) {
    // A device that goes takes its addresses along.
    if (wanted.has(textOf(address)) || gone.has(address.device)) continue;
    const blocks = added.some((other) => shareSubnet(address, other));
    (blocks ? inTheWay : removed).push({ kind: "remove-address", address });
  }
  return { inTheWay, added: added.map((address): Operation => ({ kind: "add-address", address })), removed };
}

type AnyRoute = { readonly odd: false; readonly route: Route } | { readonly odd: true; readonly route: OddRoute };

function diffRoutes(desired: KernelState, actual: ActualState) {
  const added: Operation[] = [];
  const left = new Map<string, AnyRoute[]>();
  const all: AnyRoute[] = [
    ...actual.routes.map((route): AnyRoute => ({ odd: false, route })),
    ...actual.oddRoutes.map((route): AnyRoute => ({ odd: true, route })),
  ];
  for (const item of all) {
    const key = routeKey(item.route);
    const same = left.get(key);
    if (same) same.push(item);
    else left.set(key, [item]);
  }
  for (const route of unique(desired.routes, routeKey)) {
    const candidates = left.get(routeKey(route)) ?? [];
    const text = routeText(route);
    const equal = candidates.findIndex((item) => !item.odd && routeText(item.route) === text);
    if (equal >= 0) {
      candidates.splice(equal, 1);
    } else {
      // `add` where Binder has none: `replace` would overwrite another's route of the same key.
      added.push({ kind: candidates.length > 0 ? "replace-route" : "add-route", route });
      candidates.shift();
    }
  }
  const removed = [...left.values()]
    .flat()
    .map((item): Operation => (item.odd ? { kind: "remove-odd-route", route: item.route } : { kind: "remove-route", route: item.route }));
  return { added, removed };
}

function diffRules(desired: KernelState, actual: ActualState) {
  const present = new Set(actual.rules.map(ruleText));
  const wanted = new Set(desired.rules.map(ruleText));
  const added = unique(desired.rules, ruleText).filter((rule) => !present.has(ruleText(rule)));
  const removed = actual.rules.filter((rule) => !wanted.has(ruleText(rule)));
  return {
    added: added.map((rule): Operation => ({ kind: "add-rule", rule })),
    removed: [
      ...removed.map((rule): Operation => ({ kind: "remove-rule", rule })),
      ...actual.oddRules.map((rule): Operation => ({ kind: "remove-odd-rule", rule })),
    ],
  };
}

function diffEndpoints(desired: KernelState, actual: ActualState) {
  const added: Operation[] = [];
  const removed: Operation[] = [];
  const left = new Map(actual.endpoints.filter(({ implicit }) => !implicit).map((endpoint) => [endpoint.address, endpoint]));
  for (const endpoint of unique(desired.endpoints, ({ address }) => address)) {
    const found = left.get(endpoint.address);
    if (found === undefined || found.odd || found.device !== endpoint.device) {
      added.push({ kind: "add-endpoint", endpoint });
      continue;
    }
    left.delete(endpoint.address);
    if (endpointText(found) !== endpointText(endpoint)) added.push({ kind: "change-endpoint", id: found.id, endpoint });
  }
  for (const { id, address } of left.values()) removed.push({ kind: "remove-endpoint", id, address });
  return { added, removed };
}

function diffNft(desired: KernelState, actual: ActualState): Operation[] {
  if (desired.nft === actual.nft) return [];
  return [desired.nft === undefined ? { kind: "remove-nft" } : { kind: "replace-nft", body: desired.nft }];
}
