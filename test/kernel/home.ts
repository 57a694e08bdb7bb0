/** A home for the tests of the kernel layer: what Binder wants there, and what others have. */
import { writeFileSync } from "node:fs";
import type { KernelState, Ownership } from "../../src/kernel/state.ts";
import { ip, run } from "./namespace.ts";

export const ownership: Ownership = {
  devicePrefix: "binder-",
  prefixes: ["198.18.213.0/24", "198.19.0.0/16"],
  protocol: 213,
  nftTable: "binder",
  savedDirectory: "/run/binder/saved",
};

/** A home with two gateways behind `lan`, near to what the plan makes. */
export const home: KernelState = {
  devices: [
    { name: "binder-1", mtu: 1400, txQueueLength: 500 },
    { name: "binder-2", mtu: 1380, txQueueLength: 500 },
  ],
  addresses: [
    { device: "lo", address: "198.18.213.1", prefixLength: 32 },
    { device: "lo", address: "198.18.213.2", prefixLength: 32 },
    { device: "lo", address: "198.19.0.2", prefixLength: 32 },
    { device: "binder-1", address: "198.19.16.2", prefixLength: 20 },
    { device: "binder-2", address: "198.19.32.2", prefixLength: 32 },
  ],
  rules: [
    { preference: 701, from: "198.18.213.1", action: { kind: "lookup", table: 21301 } },
    { preference: 702, from: "198.18.213.2", action: { kind: "lookup", table: 21302 } },
    { preference: 716, mark: { value: 0x20000000, mask: 0x30000000 }, action: { kind: "lookup", table: 254, suppressPrefixLength: 0 } },
    { preference: 717, mark: { value: 0x3f000000, mask: 0x3f000000 }, incoming: "lan", action: { kind: "unreachable" } },
    { preference: 760, to: "198.19.0.0/16", action: { kind: "lookup", table: 21300 } },
  ],
  routes: [
    { table: 21301, destination: "default", kind: "unicast", nextHops: [{ device: "lan", via: "10.0.0.2", onlink: true }] },
    { table: 21301, destination: "default", kind: "unreachable", nextHops: [], metric: 4_294_967_295 },
    { table: 21302, destination: "default", kind: "unicast", nextHops: [{ device: "lan", via: "10.9.9.3", onlink: true }] },
    {
      table: 21300,
      destination: "198.19.0.1",
      kind: "unicast",
      nextHops: [
        { device: "binder-1", weight: 20 },
        { device: "binder-2", weight: 7 },
      ],
      source: "198.19.0.2",
      metric: 3,
      congestion: "reno",
      mtu: 1280,
      initialWindow: 32,
    },
  ],
  endpoints: [
    { address: "198.19.16.2", device: "binder-1", backup: false },
    { address: "198.19.32.2", device: "binder-2", backup: true },
  ],
  subflowLimit: 8,
  sysctls: [
    { key: "net/mptcp/blackhole_timeout", mode: "set", value: "0" },
    { key: "net/ipv4/tcp_rmem", mode: "raise", value: "4096 131072 8388608" },
    { key: "net/ipv4/ip_forward", mode: "set", value: "1" },
    { key: "net/ipv4/conf/binder-1/rp_filter", mode: "set", value: "2" },
    { key: "net/ipv4/conf/binder-2/ignore_routes_with_linkdown", mode: "set", value: "1" },
    { key: "net/ipv4/there_is_no_such_thing", mode: "set", value: "1" },
  ],
  nft: `set fixed { type ipv4_addr; elements = { 10.0.0.1 } }
    set seen { type ipv4_addr; size 100; flags dynamic; }
    chain pre { type nat hook prerouting priority dstnat; policy accept;
      iifname "lan" tcp dport 80 counter redirect to :2130
    }
    chain out { type filter hook output priority filter; add @seen { ip daddr } counter
    }`,
};

/** The devices, and the rules, routes, endpoints and tables of others, that are there before Binder. */
export function makeForeign(): void {
  ip("link", "add", "name", "lan", "type", "veth", "peer", "name", "far");
  for (const device of ["lan", "far"]) {
    writeFileSync(`/proc/sys/net/ipv6/conf/${device}/disable_ipv6`, "1");
    ip("link", "set", "dev", device, "up");
  }
  ip("address", "add", "10.0.0.1/24", "dev", "lan");
  ip("address", "add", "203.0.113.7/32", "dev", "lo");
  ip("rule", "add", "pref", "701", "from", "203.0.113.7", "lookup", "7");
  ip("rule", "add", "pref", "1500", "fwmark", "0x100/0x3f00", "lookup", "7", "protocol", "214");
  ip("route", "add", "198.51.100.0/24", "via", "10.0.0.2", "dev", "lan", "table", "7");
  ip("route", "add", "198.51.100.0/24", "via", "10.0.0.2", "dev", "lan", "table", "21301", "metric", "9");
  ip("mptcp", "endpoint", "add", "10.0.0.1", "dev", "lan", "subflow");
  run("nft", ["-f", "-"], "table inet other { chain pre { type filter hook prerouting priority 0; counter\n}\n}\n");
}
