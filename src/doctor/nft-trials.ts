import type { Need } from "./system.ts";

/** Something that Binder's nft tables need, to be tried by `nft -c`, which changes nothing: the kernel checks it and drops it. */
export interface NftTrial {
  readonly name: string;
  /** The body of a chain, after its `type … hook …`. */
  readonly hook: string;
  readonly rules: readonly string[];
  /** The relay alone, or both roles. */
  readonly relayOnly: boolean;
  /** Without it, what does not work. */
  readonly without: string;
  readonly need: Need;
}

const MANGLE = "type filter hook prerouting priority mangle - 5; policy accept;";
const capture = "no traffic can be captured";

export const nftTrials: readonly NftTrial[] = [
  {
    name: "tables",
    hook: MANGLE,
    rules: ["ct state new ct mark and 0x3f000000 == 0x00000000 ct mark set ct mark and 0xc0ffffff or 0x20000000"],
    relayOnly: false,
    without: capture,
    need: "nftCore",
  },
  {
    name: "redirect",
    hook: "type nat hook prerouting priority dstnat - 5; policy accept;",
    rules: ["meta l4proto tcp redirect to :2130"],
    relayOnly: false,
    without: "connections can't be handed to the proxy",
    need: "nftNat",
  },
  {
    name: "masquerade",
    hook: "type nat hook postrouting priority srcnat - 5; policy accept;",
    rules: ["ip saddr 198.18.213.0/24 masquerade"],
    relayOnly: false,
    without: "Binder's own addresses would leave this machine",
    need: "nftNat",
  },
  {
    name: "fib",
    hook: MANGLE,
    rules: ["fib daddr type != unicast return", "fib daddr . mark oif exists return"],
    relayOnly: false,
    without: "routes of the mesh and of other VPNs can't be told from the Internet",
    need: "nftFib",
  },
  {
    name: "numgen",
    hook: MANGLE,
    rules: ["numgen random mod 2 vmap { 0 : return, 1 : accept }"],
    relayOnly: false,
    without: "flows can't be spread over the gateways",
    need: "nftCore",
  },
  {
    name: "reset tcp option",
    hook: MANGLE,
    rules: ["tcp flags & (fin | syn | rst | ack) == syn reset tcp option mptcp"],
    relayOnly: false,
    without: "devices that speak MPTCP themselves would hang (needs Linux 5.18 and nftables 1.0.2)",
    need: "nftCore",
  },
  {
    name: "route mtu",
    hook: "type filter hook forward priority filter - 5; policy accept;",
    rules: ["tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu"],
    relayOnly: false,
    without: "large packets would be lost in the lanes",
    need: "nftCore",
  },
  {
    name: "route hook",
    hook: "type route hook output priority mangle - 5; policy accept;",
    rules: ["udp dport 53 meta mark set 0x21000000"],
    relayOnly: false,
    without: "the router's own names and time can't cross",
    need: "nftCore",
  },
  {
    name: "connection count",
    hook: "type filter hook forward priority filter - 5; policy accept;",
    rules: ["ct count over 4096 reject with icmp admin-prohibited"],
    relayOnly: true,
    without: "one home could use up all connections",
    need: "nftCount",
  },
  {
    name: "socket owner",
    hook: "type filter hook output priority filter - 5; policy accept;",
    rules: ["meta skuid 65534 ct state new reject with icmp admin-prohibited"],
    relayOnly: true,
    without: "the proxy can't be confined, and the relay would be an open proxy",
    need: "nftCore",
  },
];

/** The text for `nft -c -f -`. */
export function trialText({ hook, rules }: NftTrial): string {
  return ["table inet binder_doctor {", "chain trial {", hook, ...rules, "}", "}", ""].join("\n");
}
