import type { Address, Endpoint, KernelState, Route, Rule, Sysctl, TunDevice } from "../kernel/state.ts";
import { aliasOf, formatPrefix } from "../plan/addresses.ts";
import { MARK_MASK, MARK_NEAREST, MARK_ROUTE_PROBE, MATCH_PLAIN, MATCH_RELAYED, markOf } from "../plan/marks.ts";
import {
  deviceOfLane,
  MAX_SUBFLOWS,
  PREF_BOUND,
  PREF_NEAREST,
  PREF_NO_ROUTE,
  PREF_PLAIN_ROUTED,
  PREF_RELAY,
  PREF_RELAYED_ROUTED,
  PREF_ROUTE_PROBE_END,
  PREF_STABLE,
  prefOfAlias,
  prefOfDirectMark,
  prefOfLane,
  prefOfLaneMark,
  TABLE_MAIN,
  TABLE_NO_ROUTE,
  TABLE_RELAY,
  tableOfGateway,
  tableOfLane,
} from "../plan/numbers.ts";
import { captureTable } from "./capture.ts";
import {
  gatewayDevices,
  type HomeObservation,
  type HomePlan,
  laneAddress,
  liveLanes,
  type Membership,
  type NumberedGateway,
  serviceAddress,
  stableAddress,
} from "./plan.ts";
import { homeSysctls } from "./sysctls.ts";

const TX_QUEUE = 500;
/**
 * A gateway's address is asked for again after so long (ms), three times each time that something is to be sent to it: with the kernel's
 * second one that has its power again would wait half a second for that.
 */
const ASK_AGAIN = "200";
/** Behind every other route of its table: what can't leave by the gateway must not leave by another. */
const LAST_METRIC = 4_294_967_295;

/** All that the home wants of its kernel, from its configuration and what it sees. Pure: the same arguments give equal states. */
export function desiredState(plan: HomePlan, seen: HomeObservation): KernelState {
  const { membership } = plan;
  const lanes = membership === undefined ? [] : plan.gateways.map((gateway) => gateway.number);
  return {
    devices: lanes.map((lane) => tun(lane, seen)),
    addresses: addresses(plan, lanes),
    rules: [...markRules(plan, seen), ...plan.gateways.flatMap((gateway) => gatewayRules(plan, gateway))],
    routes: [...plan.gateways.flatMap((gateway) => gatewayRoutes(plan, gateway, seen)), ...relayRoutes(membership, seen)],
    endpoints: membership === undefined ? [] : endpoints(membership, seen),
    subflowLimit: membership === undefined ? 0 : MAX_SUBFLOWS,
    sysctls: sysctls(lanes, seen),
    nft: captureTable(plan, seen),
  };
}

function tun(lane: number, seen: HomeObservation): TunDevice {
  const mtu = seen.lanes.find((snapshot) => snapshot.number === lane)?.mtu ?? 1400;
  return { name: deviceOfLane(lane), mtu, txQueueLength: TX_QUEUE };
}

function addresses(plan: HomePlan, lanes: readonly number[]): readonly Address[] {
  const { membership } = plan;
  const host = (device: string, address: string): Address => ({ device, address, prefixLength: 32 });
  return [
    ...plan.gateways.map(({ number }) => host("lo", aliasOf(plan.config.main.aliasPrefix, number))),
    ...(membership === undefined ? [] : [host("lo", stableAddress(membership))]),
    ...(membership === undefined ? [] : lanes.map((lane) => host(deviceOfLane(lane), laneAddress(membership, lane)))),
  ];
}

/** Rules that don't belong to one gateway: what the main table routes is left to it; marks choose tables. */
function markRules(plan: HomePlan, seen: HomeObservation): readonly Rule[] {
  const { membership } = plan;
  const [best] = liveLanes(seen.lanes);
  const routed = (preference: number, mark: { value: number; mask: number }): Rule => ({
    preference,
    mark,
    action: { kind: "lookup", table: TABLE_MAIN, suppressPrefixLength: 0 },
  });
  const rules: Rule[] = [
    routed(PREF_RELAYED_ROUTED, MATCH_RELAYED),
    routed(PREF_PLAIN_ROUTED, MATCH_PLAIN),
    { preference: PREF_ROUTE_PROBE_END, mark: { value: MARK_ROUTE_PROBE, mask: MARK_MASK }, action: { kind: "unreachable" } },
  ];
  for (const bound of gatewayDevices(plan)) {
    rules.push({ preference: PREF_BOUND, bound, mark: MATCH_RELAYED, action: { kind: "lookup", table: TABLE_MAIN } });
  }
  if (membership !== undefined) {
    rules.push({
      preference: PREF_NEAREST,
      mark: { value: MARK_NEAREST, mask: MARK_MASK },
      action: { kind: "lookup", table: TABLE_RELAY },
    });
    rules.push({ preference: PREF_RELAY, to: formatPrefix(membership.lanePrefix), action: { kind: "lookup", table: TABLE_RELAY } });
    if (best !== undefined) {
      rules.push({ preference: PREF_STABLE, from: stableAddress(membership), action: { kind: "lookup", table: tableOfLane(best.number) } });
      // A home without a default route: its own traffic would not get as far as the capture, and the reverse path of what comes back by a
      // lane would be refused. What must not cross is refused by the capture.
      rules.push({ preference: PREF_NO_ROUTE, action: { kind: "lookup", table: TABLE_NO_ROUTE } });
    }
    for (const { number } of plan.gateways) rules.push(laneMarkRule(number, seen));
  }
  return rules;
}

/** A flow goes by the lane of its mark; when that lane is gone, by the quickest that is left: its address stays the same. */
function laneMarkRule(lane: number, seen: HomeObservation): Rule {
  const live = liveLanes(seen.lanes);
  const carrier = live.find((snapshot) => snapshot.number === lane) ?? live[0];
  return {
    preference: prefOfLaneMark(lane),
    mark: { value: markOf({ kind: "lane", gateway: lane }), mask: MARK_MASK },
    action: carrier === undefined ? { kind: "unreachable" } : { kind: "lookup", table: tableOfLane(carrier.number) },
  };
}

function gatewayRules(plan: HomePlan, { number }: NumberedGateway): readonly Rule[] {
  const { membership } = plan;
  const lookup = (table: number): Rule["action"] => ({ kind: "lookup", table });
  return [
    { preference: prefOfAlias(number), from: aliasOf(plan.config.main.aliasPrefix, number), action: lookup(tableOfGateway(number)) },
    {
      preference: prefOfDirectMark(number),
      mark: { value: markOf({ kind: "direct", gateway: number }), mask: MARK_MASK },
      action: lookup(tableOfGateway(number)),
    },
    ...(membership === undefined
      ? []
      : [{ preference: prefOfLane(number), from: laneAddress(membership, number), action: lookup(tableOfLane(number)) }]),
  ];
}

function gatewayRoutes(plan: HomePlan, { number, way: { device, via } }: NumberedGateway, seen: HomeObservation): readonly Route[] {
  const routes: Route[] = [dead(tableOfGateway(number))];
  if (seen.devices.has(device)) {
    routes.push({
      table: tableOfGateway(number),
      destination: "default",
      kind: "unicast",
      nextHops: [via === undefined ? { device } : { device, via, onlink: true }],
    });
  }
  if (plan.membership !== undefined) {
    const nextHops = [{ device: deviceOfLane(number) }];
    const { congestion } = plan.config.main;
    const window = seen.lanes.find((snapshot) => snapshot.number === number)?.window ?? 0;
    routes.push(
      {
        table: tableOfLane(number),
        destination: "default",
        kind: "unicast",
        nextHops,
        ...(seen.congestion.has(congestion) ? { congestion } : {}),
        ...(window > 0 ? { initialWindow: window } : {}),
      },
      dead(tableOfLane(number)),
    );
  }
  return routes;
}

function dead(table: number): Route {
  return { table, destination: "default", kind: "unreachable", nextHops: [], metric: LAST_METRIC };
}

/** The relay's service address by the nearest lane; HAProxy's connections choose theirs by their source address. */
function relayRoutes(membership: Membership | undefined, seen: HomeObservation): readonly Route[] {
  if (membership === undefined) return [];
  const [best] = liveLanes(seen.lanes);
  const routes: Route[] = [dead(TABLE_RELAY)];
  if (best !== undefined) {
    routes.push(serviceRoute(membership, seen.nearest ?? best.number));
    routes.push({ table: TABLE_NO_ROUTE, destination: "default", kind: "unicast", nextHops: [{ device: deviceOfLane(best.number) }] });
  }
  return routes;
}

/** To the relay's service address by this lane. */
export function serviceRoute(membership: Membership, lane: number): Route {
  return {
    table: TABLE_RELAY,
    destination: serviceAddress(membership),
    kind: "unicast",
    nextHops: [{ device: deviceOfLane(lane) }],
  };
}

/** Not bound to their devices: what their subflows acknowledge may go by a nearer lane (nearest.ts), all else by its source address. */
function endpoints(membership: Membership, seen: HomeObservation): readonly Endpoint[] {
  return liveLanes(seen.lanes)
    .slice(0, MAX_SUBFLOWS)
    .map(({ number }) => ({ address: laneAddress(membership, number), backup: false }));
}

function sysctls(lanes: readonly number[], seen: HomeObservation): readonly Sysctl[] {
  // What leaves by a gateway that main does not route by would be filtered when its answer comes back. One that was 2 stays 2.
  const loose = [...seen.filtering].map((device): Sysctl => ({ key: `net/ipv4/conf/${device}/rp_filter`, mode: "set", value: "2" }));
  return [
    ...(lanes.length === 0 ? [] : homeSysctls(seen.memory, seen.sendLimit)),
    ...lanes.flatMap((lane) => laneSysctls(deviceOfLane(lane))),
    ...loose,
    ...[...seen.devices].map((device): Sysctl => ({ key: `net/ipv4/neigh/${device}/retrans_time_ms`, mode: "set", value: ASK_AGAIN })),
  ];
}

function laneSysctls(device: string): readonly Sysctl[] {
  const set = (key: string, value: string): Sysctl => ({ key: `net/ipv4/conf/${device}/${key}`, mode: "set", value });
  // A stricter value in conf/all would win over 0; 2 wins over 1 (Documentation/networking/ip-sysctl.rst, rp_filter).
  return [set("ignore_routes_with_linkdown", "1"), set("rp_filter", "2")];
}
