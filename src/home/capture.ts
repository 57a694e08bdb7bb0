import type { BypassSection } from "../config/types.ts";
import { nftAddress, nftChain, nftDevice, nftMac, nftMark, nftSet } from "../kernel/nft-text.ts";
import { formatPrefix } from "../plan/addresses.ts";
import { type Decision, MARK_MASK, MARK_ROUTE_PROBE, markOf } from "../plan/marks.ts";
import { DEVICE_PREFIX, PORT_CAPTURE } from "../plan/numbers.ts";
import { type HomeObservation, type HomePlan, liveLanes, stableAddress } from "./plan.ts";

const MASK = nftMark(MARK_MASK);
const REST = nftMark(~MARK_MASK);
const UNDECIDED = `ct mark and ${MASK} == 0x00000000`;
const SYN = "tcp flags & (fin | syn | rst | ack) == syn";
const LANES = `"${DEVICE_PREFIX}*"`;

const decide = (decision: Decision): string => `ct mark set ct mark and ${REST} or ${nftMark(markOf(decision))}`;
const decided = (decision: Decision): string => `ct mark and ${MASK} == ${nftMark(markOf(decision))}`;

/**
 * The body of the home's nft table; undefined where there is nothing to capture.
 *
 * The first packet of a connection, in its original direction and from a captured LAN, is decided and the decision kept in the
 * connection mark; later packets only follow it. While no lane is live nothing new is captured and the LAN goes as if Binder were not
 * there.
 */
export function captureTable(plan: HomePlan, seen: HomeObservation): string | undefined {
  const { membership } = plan;
  if (membership === undefined) return undefined;
  const live = liveLanes(seen.lanes);
  const numbers = plan.gateways.map((gateway) => gateway.number);
  const marks: readonly Decision[] = [
    ...numbers.map((gateway): Decision => ({ kind: "lane", gateway })),
    ...numbers.map((gateway): Decision => ({ kind: "direct", gateway })),
  ];
  const follow =
    marks.length === 0
      ? []
      : [`ct mark and ${MASK} vmap { ${marks.map((mark) => `${nftMark(markOf(mark))} : jump ${follower(mark)}`).join(", ")} }`];
  return [
    ...nftSet("lans", "ifname", plan.lans.map(nftDevice)),
    ...nftSet("relays", "ipv4_addr", membership.addresses.map(nftAddress)),
    ...marks.flatMap((mark) => nftChain(follower(mark), undefined, [`meta mark set meta mark and ${REST} or ${nftMark(markOf(mark))}`])),
    ...live.flatMap(({ number }) => nftChain(`lane_${number}`, undefined, [decide({ kind: "lane", gateway: number })])),
    ...nftChain("spread", undefined, spread(plan, seen)),
    ...nftChain("decide", undefined, live.length === 0 ? bypasses(plan) : decideRules(plan)),
    ...nftChain("decide_own", undefined, live.length === 0 ? [] : ownRules(plan)),
    ...nftChain("prerouting", "type filter hook prerouting priority mangle - 5; policy accept;", [
      "iifname != @lans return",
      "ct direction reply return",
      `ct state new ${UNDECIDED} jump decide`,
      // A LAN device that speaks MPTCP itself would hang at a proxy that does not expect it.
      `${decided({ kind: "proxy" })} ${SYN} reset tcp option mptcp`,
      ...follow,
    ]),
    ...nftChain("output", "type route hook output priority mangle - 5; policy accept;", [
      "ct direction reply return",
      `ct state new ${UNDECIDED} jump decide_own`,
      ...follow,
    ]),
    ...nftChain("dstnat", "type nat hook prerouting priority dstnat - 5; policy accept;", [
      `iifname @lans meta l4proto tcp ${decided({ kind: "proxy" })} redirect to :${PORT_CAPTURE}`,
    ]),
    ...nftChain("srcnat", "type nat hook postrouting priority srcnat - 5; policy accept;", [
      `oifname ${LANES} ip saddr != ${formatPrefix(membership.lanePrefix)} snat ip to ${stableAddress(membership)}`,
      `oifname != ${LANES} oifname != "lo" ip saddr ${formatPrefix(plan.config.main.aliasPrefix)} masquerade`,
      ...numbers.map((gateway) => `oifname != ${LANES} ${decided({ kind: "direct", gateway })} masquerade`),
    ]),
    ...nftChain("input", "type filter hook input priority filter - 5; policy accept;", [
      `tcp dport ${PORT_CAPTURE} ct mark and ${MASK} != ${nftMark(markOf({ kind: "proxy" }))} reject with tcp reset`,
    ]),
    ...nftChain("forward", "type filter hook forward priority filter - 5; policy accept;", [
      `oifname ${LANES} tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu`,
      ...(plan.config.main.ipv6 === "off" ? ["iifname @lans oifname != @lans meta nfproto ipv6 reject with icmpv6 admin-prohibited"] : []),
    ]),
    ...(plan.config.main.ipv6 === "off" ? withoutIpv6() : []),
  ].join("\n");
}

function follower(mark: Decision): string {
  return mark.kind === "lane" || mark.kind === "direct" ? `follow_${mark.kind}_${mark.gateway}` : "follow";
}

/** A lane for a flow that is not proxied, by the gateways' weights. */
function spread(plan: HomePlan, seen: HomeObservation): readonly string[] {
  const weighted = liveLanes(seen.lanes).map(({ number }) => ({
    number,
    weight: plan.gateways.find((gateway) => gateway.number === number)?.section.weight ?? 1,
  }));
  const sum = weighted.reduce((total, lane) => total + lane.weight, 0);
  if (sum === 0) return [];
  let first = 0;
  const ranges = weighted.map(({ number, weight }) => {
    const range = weight === 1 ? `${first}` : `${first}-${first + weight - 1}`;
    first += weight;
    return `${range} : jump lane_${number}`;
  });
  return [`numgen random mod ${sum} vmap { ${ranges.join(", ")} }`];
}

/** What the main table routes by more than a default route (mesh, VPNs of others, other LANs) is left alone, by the routes themselves. */
function decideRules(plan: HomePlan): readonly string[] {
  return [
    "meta nfproto != ipv4 return",
    "fib daddr type != unicast return",
    ...bypasses(plan),
    `meta mark set meta mark and ${REST} or ${nftMark(MARK_ROUTE_PROBE)}`,
    `fib daddr . mark oif exists meta mark set meta mark and ${REST} return`,
    `meta mark set meta mark and ${REST}`,
    `meta l4proto tcp ${SYN} ${decide({ kind: "proxy" })} return`,
    // The middle of a connection that is older than Binder.
    "meta l4proto tcp return",
    "jump spread",
  ];
}

function bypasses(plan: HomePlan): readonly string[] {
  return plan.config.bypasses.flatMap((bypass) => bypassRules(plan, bypass));
}

function bypassRules(plan: HomePlan, bypass: BypassSection): readonly string[] {
  const gateway = plan.gateways.find((candidate) => candidate.section.name === bypass.gateway);
  if (bypass.gateway !== undefined && gateway === undefined) return [];
  const decision: Decision = gateway === undefined ? { kind: "bypass" } : { kind: "direct", gateway: gateway.number };
  const matches = [
    ...(bypass.src === undefined ? [] : [`ip saddr ${nftAddress(formatPrefix(bypass.src))}`]),
    ...(bypass.dest === undefined ? [] : [`ip daddr ${nftAddress(formatPrefix(bypass.dest))}`]),
    ...(bypass.mac === undefined ? [] : [`ether saddr ${nftMac(bypass.mac)}`]),
  ];
  return protocolMatches(bypass).map((match) => [...matches, ...match, decide(decision), "return"].join(" "));
}

function protocolMatches({ proto, ports }: BypassSection): readonly (readonly string[])[] {
  if (ports === undefined) return [proto === undefined ? [] : [`meta l4proto ${proto}`]];
  const list = `{ ${ports.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`)).join(", ")} }`;
  const protocols = proto === undefined ? (["tcp", "udp"] as const) : [proto];
  return protocols.map((protocol) => [`${protocol} dport ${list}`]);
}

/** Of the router's own traffic names, time and the web cross; never what Binder's own children send, or what goes to a relay. */
function ownRules(plan: HomePlan): readonly string[] {
  return [
    "meta nfproto != ipv4 return",
    'oifname "lo" return',
    `oifname ${LANES} return`,
    `ip saddr ${formatPrefix(plan.config.main.aliasPrefix)} return`,
    "ip daddr @relays return",
    "fib daddr type != unicast return",
    "udp dport { 53, 123 } jump spread",
    `tcp dport { 53, 80, 443 } ${SYN} jump spread`,
  ];
}

/** Captured LANs get no router advertisement and no DHCPv6 answer, so that nothing goes around Binder. */
function withoutIpv6(): readonly string[] {
  return nftChain("no_ipv6", "type filter hook output priority filter - 5; policy accept;", [
    "oifname @lans icmpv6 type nd-router-advert drop",
    "oifname @lans udp sport 547 drop",
  ]);
}
