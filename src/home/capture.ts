import { nftAddress, nftChain, nftDevice, nftMark, nftSet } from "../kernel/nft-text.ts";
import { formatPrefix } from "../plan/addresses.ts";
import { type Decision, MARK_MASK, MARK_NEAREST, MARK_ROUTE_PROBE, MATCH_RELAYED, markOf } from "../plan/marks.ts";
import { DEVICE_PREFIX, MAX_GATEWAY, MIN_GATEWAY, PORT_CAPTURE, PORT_PROXY } from "../plan/numbers.ts";
import { bypassDecisions } from "./bypass.ts";
import {
  gatewayDevices,
  type HomeObservation,
  type HomePlan,
  laneAddress,
  liveLanes,
  type Membership,
  serviceAddress,
  stableAddress,
} from "./plan.ts";

const MASK = nftMark(MARK_MASK);
const REST = nftMark(~MARK_MASK);
/**
 * The first packet of a connection: one that the kernel has not confirmed yet. `ct state new` alone is every packet before the first
 * answer, and a flow that was already routed, and given its address, can't be taken elsewhere.
 */
const FIRST = `ct state new ct status and confirmed == 0 ct mark and ${MASK} == 0x00000000`;
const UNRELAYED = `ct mark and ${nftMark(MATCH_RELAYED.mask)} == 0x00000000`;
const SYN = "tcp flags & (fin | syn | rst | ack) == syn";
const LANES = `"${DEVICE_PREFIX}*"`;

const decide = (decision: Decision): string => `ct mark set ct mark and ${REST} or ${nftMark(markOf(decision))}`;
const decided = (decision: Decision): string => `ct mark and ${MASK} == ${nftMark(markOf(decision))}`;

/**
 * The body of the home's nft table; undefined where there is nothing to capture.
 *
 * The first packet of a connection, in its original direction and from a captured LAN, is decided and the decision kept in the
 * connection mark; later packets only follow it. While no lane is live, new flows leave by the gateways directly, and where none can be
 * used the LAN goes as if Binder were not there. The text depends on which lanes live, and which of them are far: it is replaced only when that changes.
 */
export function captureTable(plan: HomePlan, seen: HomeObservation): string | undefined {
  const { membership } = plan;
  if (membership === undefined) return undefined;
  const live = liveNumbers(seen);
  const exits: readonly Decision[] =
    live.length > 0
      ? live.map((gateway): Decision => ({ kind: "lane", gateway }))
      : seen.direct.map((gateway): Decision => ({ kind: "direct", gateway }));
  const numbers = plan.gateways.map((gateway) => gateway.number);
  const marks: readonly Decision[] = [
    ...numbers.map((gateway): Decision => ({ kind: "lane", gateway })),
    ...numbers.map((gateway): Decision => ({ kind: "direct", gateway })),
  ];
  const follow = [...orphans(numbers, live), ...followers(marks)];
  return [
    ...nftSet("lans", "ifname", plan.lans.map(nftDevice)),
    ...nftSet("uplinks", "ifname", gatewayDevices(plan).map(nftDevice)),
    ...nftSet("relays", "ipv4_addr", membership.addresses.map(nftAddress)),
    ...marks.flatMap((mark) => nftChain(follower(mark), undefined, [`meta mark set meta mark and ${REST} or ${nftMark(markOf(mark))}`])),
    ...exits.flatMap((exit) => nftChain(exitOf(exit), undefined, [decide(exit)])),
    ...nftChain("spread", undefined, spread(plan, exits)),
    ...nftChain("decide", undefined, decideRules(plan, exits, live.length === 0 || seen.withoutProxy === true)),
    ...nftChain("decide_own", undefined, exits.length === 0 ? [] : ownRules(plan, membership)),
    ...nftChain("prerouting", "type filter hook prerouting priority mangle - 5; policy accept;", [
      "iifname != @lans return",
      "ct direction reply return",
      `${FIRST} jump decide`,
      // A LAN device that speaks MPTCP itself would hang at a proxy that does not expect it.
      `${decided({ kind: "proxy" })} ${SYN} reset tcp option mptcp`,
      ...follow,
    ]),
    ...nftChain("output", "type route hook output priority mangle - 5; policy accept;", [
      "ct direction reply return",
      `${FIRST} jump decide_own`,
      ...follow,
    ]),
    ...acknowledgements(membership, seen.far),
    ...nftChain("dstnat", "type nat hook prerouting priority dstnat - 5; policy accept;", [
      `iifname @lans meta l4proto tcp ${decided({ kind: "proxy" })} redirect to :${PORT_CAPTURE}`,
    ]),
    ...nftChain("leaving", "type filter hook postrouting priority mangle - 5; policy accept;", [
      `oifname ${LANES} tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu`,
      // MPTCP is between home and relay; a server that speaks it would be answered by lanes that the relay does not forward.
      `oifname ${LANES} ip saddr != ${formatPrefix(membership.lanePrefix)} ${SYN} reset tcp option mptcp`,
    ]),
    ...nftChain("srcnat", "type nat hook postrouting priority srcnat - 5; policy accept;", sourceRules(plan, membership)),
    ...nftChain("input", "type filter hook input priority filter - 5; policy accept;", [
      `tcp dport ${PORT_CAPTURE} ct mark and ${MASK} != ${nftMark(markOf({ kind: "proxy" }))} reject with tcp reset`,
    ]),
    ...nftChain("forward", "type filter hook forward priority filter - 5; policy accept;", [
      `oifname ${LANES} ct direction original ${UNRELAYED} reject with icmpx no-route`,
      ...(plan.config.main.ipv6 === "off" ? refusedIpv6 : []),
    ]),
    ...nftChain("output_filter", "type filter hook output priority filter - 5; policy accept;", [
      ...ownRefused(membership),
      ...(plan.config.main.ipv6 === "off" ? withoutIpv6 : []),
    ]),
  ].join("\n");
}

const liveNumbers = (seen: HomeObservation): readonly number[] =>
  liveLanes(seen.lanes)
    .map(({ number }) => number)
    .sort((a, b) => a - b);

function follower(mark: Decision): string {
  return mark.kind === "lane" || mark.kind === "direct" ? `follow_${mark.kind}_${mark.gateway}` : "follow";
}

function followers(marks: readonly Decision[]): readonly string[] {
  if (marks.length === 0) return [];
  return [`ct mark and ${MASK} vmap { ${marks.map((mark) => `${nftMark(markOf(mark))} : jump ${follower(mark)}`).join(", ")} }`];
}

/** A flow of a gateway that is no more goes on by another lane: its address stays the same. */
function orphans(numbers: readonly number[], live: readonly number[]): readonly string[] {
  if (live.length === 0) return [];
  const gone = Array.from({ length: MAX_GATEWAY - MIN_GATEWAY + 1 }, (_, index) => MIN_GATEWAY + index).filter(
    (number) => !numbers.includes(number),
  );
  if (gone.length === 0) return [];
  return [`ct mark and ${MASK} { ${gone.map((gateway) => nftMark(markOf({ kind: "lane", gateway }))).join(", ")} } jump spread`];
}

/** Without data, and with all options that there is room for, bytes: IPv4's header, TCP's, and its options. */
const BARE = 20 + 20 + 40;

/** What acknowledges the downloads of these lanes, and carries nothing, goes by the nearest. */
function acknowledgements(membership: Membership, lanes: readonly number[]): readonly string[] {
  if (lanes.length === 0) return [];
  const sources = lanes.map((lane) => nftAddress(laneAddress(membership, lane))).join(", ");
  const bare = `ip length <= ${BARE} tcp flags & (fin | syn | rst) == 0x0`;
  return nftChain("acknowledgements", "type route hook output priority mangle - 4; policy accept;", [
    `ip saddr { ${sources} } ip daddr ${nftAddress(serviceAddress(membership))} tcp dport ${PORT_PROXY} ${bare} meta mark set meta mark and ${REST} or ${nftMark(MARK_NEAREST)}`,
  ]);
}

const exitOf = (exit: Decision): string => (exit.kind === "lane" || exit.kind === "direct" ? `${exit.kind}_${exit.gateway}` : exit.kind);

/** A lane or gateway for a flow that is not proxied, by the gateways' weights. */
function spread(plan: HomePlan, exits: readonly Decision[]): readonly string[] {
  const weighted = exits.map((exit) => ({
    exit,
    weight: plan.gateways.find(({ number }) => "gateway" in exit && number === exit.gateway)?.section.weight ?? 1,
  }));
  const sum = weighted.reduce((total, { weight }) => total + weight, 0);
  if (sum === 0) return [];
  let first = 0;
  const ranges = weighted.map(({ exit, weight }) => {
    const range = weight === 1 ? `${first}` : `${first}-${first + weight - 1}`;
    first += weight;
    return `${range} : jump ${exitOf(exit)}`;
  });
  return [`numgen random mod ${sum} vmap { ${ranges.join(", ")} }`];
}

/** What the main table routes by more than a default route (mesh, VPNs of others, other LANs) is left alone, by the routes themselves. */
function decideRules(plan: HomePlan, exits: readonly Decision[], withoutProxy: boolean): readonly string[] {
  const bypasses = bypassDecisions(plan).flatMap(({ matches, decision }) => matches.map((match) => `${match} ${decide(decision)} return`));
  if (exits.length === 0 && bypasses.length === 0) return [];
  return [
    "meta nfproto != ipv4 return",
    "fib daddr type != unicast return",
    `meta mark set meta mark and ${REST} or ${nftMark(MARK_ROUTE_PROBE)}`,
    `fib daddr . mark oif exists meta mark set meta mark and ${REST} return`,
    `meta mark set meta mark and ${REST}`,
    ...bypasses,
    ...(exits.length === 0
      ? []
      : [
          `meta l4proto tcp ${SYN} ${withoutProxy ? "goto spread" : `${decide({ kind: "proxy" })} return`}`,
          // The middle of a connection that is older than Binder.
          "meta l4proto tcp return",
          "jump spread",
        ]),
  ];
}

/**
 * Of the router's own traffic names, time and the web cross; never what Binder's own children send, or what goes to a relay. What leaves
 * by a device that is no gateway's, a VPN's for instance, is left alone.
 */
function ownRules(plan: HomePlan, membership: Membership): readonly string[] {
  return [
    "meta nfproto != ipv4 return",
    `oifname != ${LANES} oifname != @uplinks return`,
    `ip saddr ${formatPrefix(plan.config.main.aliasPrefix)} return`,
    `ip daddr ${formatPrefix(membership.lanePrefix)} return`,
    "ip daddr @relays return",
    "fib daddr type != unicast return",
    "udp dport { 53, 123 } jump spread",
    `tcp dport { 53, 80, 443 } ${SYN} jump spread`,
  ];
}

/** The router's other traffic finds the lanes where it has no route of its own (see desired.ts); it is refused as without Binder. */
function ownRefused(membership: Membership): readonly string[] {
  const lanes = formatPrefix(membership.lanePrefix);
  return [
    `oifname ${LANES} ip saddr != ${stableAddress(membership)} ip daddr != ${lanes} ct direction original ${UNRELAYED} reject with icmpx no-route`,
  ];
}

function sourceRules(plan: HomePlan, membership: Membership): readonly string[] {
  const lanes = formatPrefix(membership.lanePrefix);
  const stable = stableAddress(membership);
  return [
    `oifname ${LANES} ip saddr != ${lanes} snat ip to ${stable}`,
    `oifname ${LANES} ip daddr != ${lanes} snat ip to ${stable}`,
    `oifname != ${LANES} oifname != "lo" ip saddr ${formatPrefix(plan.config.main.aliasPrefix)} masquerade`,
    ...plan.gateways.map(({ number }) => `oifname != ${LANES} ${decided({ kind: "direct", gateway: number })} masquerade`),
  ];
}

/** Captured LANs get no router advertisement and no DHCPv6 answer, so that nothing goes around Binder. */
const withoutIpv6: readonly string[] = ["oifname @lans icmpv6 type nd-router-advert drop", "oifname @lans udp sport 547 drop"];

/** What a LAN host still sends is refused at once, so that it falls back to IPv4; TCP by a reset, which ends old connections too. */
const refusedIpv6: readonly string[] = [
  "iifname @lans oifname != @lans meta nfproto ipv6 meta l4proto tcp reject with tcp reset",
  "iifname @lans oifname != @lans meta nfproto ipv6 reject with icmpv6 admin-prohibited",
];
