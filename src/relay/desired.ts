import { sendSysctls } from "../kernel/send-sysctls.ts";
import type { Address, KernelState, Route, Rule, Sysctl } from "../kernel/state.ts";
import { blockLength, formatPrefix, homeAddress, relayAddress } from "../plan/addresses.ts";
import { MARK_MASK, markOf } from "../plan/marks.ts";
import { receiveBuffer, type SendLimit } from "../plan/tcp-buffers.ts";
import {
  deviceOfRelayLane,
  MAX_SUBFLOWS,
  PREF_RELAY,
  prefOfLaneMark,
  TABLE_LANE_WINDOWS,
  TABLE_RELAY,
  tableOfLane,
} from "../plan/numbers.ts";
import { confinement } from "./confinement.ts";
import { lanesOf, type LiveLane, type LiveLanes, type RelayPlan, serviceAddress, stableBlock } from "./plan.ts";

const TX_QUEUE = 1000;
export const LANE_MTU = 1400;
/** A claim of less is none (RFC 791). */
const LEAST_MTU = 576;
const LAST_METRIC = 4_294_967_295;

/**
 * All that the relay wants of its kernel. Pure. `confined` is the number of the user that HAProxy runs as, `memory` the machine's (bytes), `limit`
 * what may be held to send.
 */
export function desiredState(plan: RelayPlan, live: LiveLanes, confined: number, memory: number, limit: SendLimit): KernelState {
  const lanes = lanesOf(plan);
  return {
    devices: lanes.map((lane) => ({ name: deviceOfRelayLane(lane), mtu: LANE_MTU, txQueueLength: TX_QUEUE })),
    addresses: addresses(plan, lanes),
    rules: rules(plan, lanes),
    routes: routes(plan, lanes, live),
    endpoints: [],
    subflowLimit: MAX_SUBFLOWS,
    sysctls: [...sysctls(plan, memory, limit), ...lanes.map(reversePath)],
    nft: confinement(plan, confined),
  };
}

function addresses(plan: RelayPlan, lanes: readonly number[]): readonly Address[] {
  const { prefix } = plan.config;
  return [
    { device: "lo", address: serviceAddress(plan), prefixLength: 32 },
    ...lanes.map((lane) => ({ device: deviceOfRelayLane(lane), address: relayAddress(prefix, lane), prefixLength: blockLength(prefix) })),
  ];
}

/** A flow's replies go back by the lane that it came by, as long as that lane lives; otherwise by any that does. */
function rules(plan: RelayPlan, lanes: readonly number[]): readonly Rule[] {
  return [
    ...lanes.map(
      (lane): Rule => ({
        preference: prefOfLaneMark(lane),
        mark: { value: markOf({ kind: "lane", gateway: lane }), mask: MARK_MASK },
        to: formatPrefix(stableBlock(plan)),
        action: { kind: "lookup", table: tableOfLane(lane) },
      }),
    ),
    { preference: PREF_ANY_LANE, to: formatPrefix(stableBlock(plan)), action: { kind: "lookup", table: TABLE_RELAY } },
    { preference: PREF_LANE_WINDOWS, to: formatPrefix(plan.config.prefix), action: { kind: "lookup", table: TABLE_LANE_WINDOWS } },
  ];
}

/** Behind the rules of the marks. */
const PREF_ANY_LANE = PREF_RELAY + 31;
/** What its table has not goes on to the lanes' own prefixes, in the main table. */
const PREF_LANE_WINDOWS = PREF_RELAY + 32;

function routes(plan: RelayPlan, lanes: readonly number[], live: LiveLanes): readonly Route[] {
  const stable = (home: number): string => homeAddress(plan.config.prefix, 0, home);
  const perHome = plan.book.homes.flatMap(({ number }): Route[] => {
    const homeLanes = (live.get(number) ?? []).filter(({ lane }) => lanes.includes(lane));
    if (homeLanes.length === 0) return [];
    const nextHops = homeLanes.map(({ lane }) => ({ device: deviceOfRelayLane(lane) }));
    return [
      {
        table: TABLE_RELAY,
        destination: stable(number),
        kind: "unicast",
        nextHops,
        ...narrower(Math.min(...homeLanes.map(({ mtu }) => mtu))),
      },
      ...homeLanes.map(
        ({ lane, mtu }): Route => ({
          table: tableOfLane(lane),
          destination: stable(number),
          kind: "unicast",
          nextHops: [{ device: deviceOfRelayLane(lane) }],
          ...narrower(mtu),
        }),
      ),
      ...homeLanes.filter(({ window }) => window > 0).map(({ lane, window }) => windowRoute(plan, number, lane, window)),
    ];
  });
  return [...perHome, { table: TABLE_RELAY, destination: "default", kind: "unreachable", nextHops: [], metric: LAST_METRIC }];
}

/** To the home's end of the lane, for how much a subflow sends at once when it begins. */
const windowRoute = (plan: RelayPlan, home: number, lane: number, window: number): Route => ({
  table: TABLE_LANE_WINDOWS,
  destination: homeAddress(plan.config.prefix, lane, home),
  kind: "unicast",
  nextHops: [{ device: deviceOfRelayLane(lane) }],
  initialWindow: window,
});

/** What a home found too large for a lane is too large in the other direction as well. */
function narrower(mtu: number): { readonly mtu?: number } {
  return mtu >= LEAST_MTU && mtu < LANE_MTU ? { mtu } : {};
}

/** The lanes by which these routes lead to homes: the reverse of {@link desiredState}'s. */
export function lanesRouted(plan: RelayPlan, found: readonly Route[]): LiveLanes {
  return new Map(
    plan.book.homes.flatMap(({ number }) => {
      const destination = homeAddress(plan.config.prefix, 0, number);
      const lanes = lanesOf(plan).flatMap((lane): LiveLane[] => {
        const route = found.find((candidate) => candidate.table === tableOfLane(lane) && candidate.destination === destination);
        return route === undefined ? [] : [{ lane, mtu: route.mtu ?? LANE_MTU, window: 0 }];
      });
      return lanes.length === 0 ? [] : [[number, lanes] as const];
    }),
  );
}

function sysctls(plan: RelayPlan, memory: number, limit: SendLimit): readonly Sysctl[] {
  return [
    { key: "net/ipv4/ip_forward", mode: "set", value: "1" },
    { key: "net/mptcp/enabled", mode: "set", value: "1" },
    { key: "net/mptcp/blackhole_timeout", mode: "set", value: "0" },
    // On the accepting side a route's own congestion control is not used for a connection's first subflow.
    { key: "net/ipv4/tcp_congestion_control", mode: "set", value: plan.config.congestion },
    { key: "net/ipv4/tcp_rmem", mode: "raise", value: receiveBuffer(memory, "relay") },
    ...sendSysctls(limit),
    { key: "net/ipv4/fib_multipath_hash_policy", mode: "set", value: "1" },
  ];
}

/** Replies may come by another lane than the reverse path's. */
function reversePath(lane: number): Sysctl {
  return { key: `net/ipv4/conf/${deviceOfRelayLane(lane)}/rp_filter`, mode: "set", value: "2" };
}
