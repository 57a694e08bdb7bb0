import { nftAddress, nftChain, nftMark, nftSet } from "../kernel/nft-text.ts";
import { formatPrefix } from "../plan/addresses.ts";
import { MARK_MASK, markOf } from "../plan/marks.ts";
import { deviceOfRelayLane, PORT_DNS, PORT_PROBE, PORT_PROXY } from "../plan/numbers.ts";
import { REFUSED_PORTS, REFUSED_PREFIXES } from "../plan/refused.ts";
import { lanesOf, type RelayPlan, serviceAddress, stableBlock } from "./plan.ts";

const LANES = '"binder-l*"';
const MASK = nftMark(MARK_MASK);
const REST = nftMark(~MARK_MASK);

export const refusedPorts = (plan: RelayPlan): readonly number[] => (plan.config.allowSmtp ? [] : REFUSED_PORTS);

/** What no home may reach: private and special ranges, the relay's prefix and its public addresses. */
export function refusedPrefixes(plan: RelayPlan): readonly string[] {
  return [...REFUSED_PREFIXES, formatPrefix(plan.config.prefix), ...plan.config.addresses.map((address) => `${address}/32`)];
}

/**
 * The body of the relay's nft table. The client names its destination, so the kernel, not HAProxy's configuration, decides what it may
 * reach: HAProxy's user (`confined`) makes no new connection to anything refused, to this machine itself, or by IPv6; and the same goes
 * for what is forwarded from lanes.
 */
export function confinement(plan: RelayPlan, confined: number): string {
  const lanes = lanesOf(plan);
  const service = nftAddress(serviceAddress(plan));
  const prefix = formatPrefix(plan.config.prefix);
  const stable = formatPrefix(stableBlock(plan));
  const ports = refusedPorts(plan);
  const refusePorts = ports.length === 0 ? [] : [`tcp dport { ${ports.join(", ")} } reject with tcp reset`];
  return [
    ...nftSet("refused", "ipv4_addr", refusedPrefixes(plan).map(nftAddress), "interval"),
    ...dynamicSet("busy"),
    ...dynamicSet("crowded"),
    ...dynamicSet("talkative"),
    ...lanes.flatMap((lane) => [
      ...nftChain(`came_by_${lane}`, undefined, [`ct mark set ct mark and ${REST} or ${lanetag(lane)}`]),
      ...nftChain(`return_by_${lane}`, undefined, [`meta mark set meta mark and ${REST} or ${lanetag(lane)}`]),
    ]),
    ...nftChain("prerouting", "type filter hook prerouting priority mangle - 5; policy accept;", [
      ...lanes.map((lane) => `iifname "${deviceOfRelayLane(lane)}" ct direction original jump came_by_${lane}`),
      `iifname != ${LANES} ct direction reply ct mark and ${MASK} vmap { ${lanes.map((lane) => `${lanetag(lane)} : jump return_by_${lane}`).join(", ")} }`,
    ]),
    ...nftChain("input", "type filter hook input priority filter - 5; policy accept;", [
      `iifname ${LANES} jump from_lane`,
      `iifname != ${LANES} iifname != "lo" ip daddr ${prefix} drop`,
    ]),
    ...nftChain("from_lane", undefined, [
      // Every new flow costs the kernel memory, and every datagram the relay's programs some time: no home may take all of either.
      `meta l4proto udp add @talkative { ip saddr limit rate over ${DATAGRAMS}/second burst ${2 * DATAGRAMS} packets } drop`,
      "ct state established,related accept",
      `add @crowded { ip saddr ct count over ${2 * plan.config.connections + SPARE} } drop`,
      `ip daddr ${service} tcp dport { ${PORT_PROXY}, ${PORT_DNS} } accept`,
      `ip daddr ${service} udp dport { ${PORT_PROBE}, ${PORT_DNS} } accept`,
      `ip daddr ${service} icmp type echo-request accept`,
      "drop",
    ]),
    ...nftChain("forward", "type filter hook forward priority filter - 5; policy accept;", [
      `iifname ${LANES} jump forward_lane`,
      // Not `ct direction original drop`: a packet that belongs to no connection has no direction.
      `oifname ${LANES} ct state established,related ct direction reply jump to_lane`,
      `oifname ${LANES} drop`,
    ]),
    ...nftChain("to_lane", undefined, ["tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu", "accept"]),
    ...nftChain("forward_lane", undefined, [
      "meta nfproto != ipv4 drop",
      `oifname ${LANES} drop`,
      `ip saddr != ${stable} drop`,
      "tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu",
      "ct state established,related return",
      "ip daddr @refused reject with icmp admin-prohibited",
      ...refusePorts,
      `add @busy { ip saddr ct count over ${plan.config.connections} } reject with icmp admin-prohibited`,
    ]),
    ...nftChain("output", "type filter hook output priority filter - 5; policy accept;", [
      // What others exempt from connection tracking is not exempt from this.
      `meta skuid ${confined} ct state new,untracked jump confined`,
    ]),
    ...nftChain("confined", undefined, [
      "meta nfproto != ipv4 reject",
      // A reset is taken at once; the socket sees an ICMP error at its second SYN only (tcp_v4_err, net/ipv4/tcp_ipv4.c).
      "meta l4proto tcp fib daddr type != unicast reject with tcp reset",
      "meta l4proto tcp ip daddr @refused reject with tcp reset",
      "fib daddr type != unicast reject with icmp admin-prohibited",
      "ip daddr @refused reject with icmp admin-prohibited",
      ...refusePorts,
    ]),
    ...nftChain("plain_exit", "type filter hook output priority mangle - 5; policy accept;", [
      `meta skuid ${confined} ct direction original tcp flags & (syn | rst | ack) == syn reset tcp option mptcp`,
    ]),
    ...nftChain("srcnat", "type nat hook postrouting priority srcnat - 5; policy accept;", [
      `oifname != ${LANES} oifname != "lo" ip saddr ${stable} masquerade`,
    ]),
  ].join("\n");
}

/** Datagrams a second that a lane address may send to the relay itself (probes, names). */
const DATAGRAMS = 500;
/** Flows to the relay itself besides the carried ones' subflows: names, probes. */
const SPARE = 256;

/** A set that rules fill, an element for each home or lane address. */
function dynamicSet(name: string): readonly string[] {
  return [`set ${name} {`, "type ipv4_addr", "size 65535", "flags dynamic", "}"];
}

function lanetag(lane: number): string {
  return nftMark(markOf({ kind: "lane", gateway: lane }));
}
