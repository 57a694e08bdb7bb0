import type { UbusInputTable } from "../../src/ubus-client/index.ts";

/** What netifd says of a network that is up, in the shape and the order of its ubus.c. */
interface Up {
  readonly device: string;
  readonly l3?: string;
  readonly proto?: string;
  readonly address?: readonly [string, number];
  readonly peer?: string;
  readonly routes?: readonly UbusInputTable[];
  readonly unused?: readonly UbusInputTable[];
  readonly resolvers?: readonly string[];
}

export const up = (name: string, { device, l3 = device, proto = "dhcp", address, peer, routes = [], unused = [], resolvers = [] }: Up) => ({
  interface: name,
  up: true,
  pending: false,
  available: true,
  autostart: true,
  dynamic: false,
  uptime: 3671,
  l3_device: l3,
  proto,
  device,
  updated: ["addresses", "routes"],
  metric: 0,
  dns_metric: 0,
  delegation: true,
  "ipv4-address":
    address === undefined ? [] : [{ address: address[0], mask: address[1], ...(peer === undefined ? {} : { ptpaddress: peer }) }],
  "ipv6-address": [],
  "ipv6-prefix": [],
  "ipv6-prefix-assignment": [],
  route: routes,
  "dns-server": resolvers,
  "dns-search": ["lan"],
  neighbors: [],
  inactive: { "ipv4-address": [], "ipv6-address": [], route: unused, "dns-server": [], "dns-search": [], neighbors: [] },
  data: { dhcpserver: "192.0.2.1", hostname: "router", leasetime: 43200 },
});

export const down = (name: string, more: UbusInputTable = {}) => ({
  interface: name,
  up: false,
  pending: false,
  available: false,
  autostart: true,
  dynamic: false,
  proto: "dhcp",
  device: "eth0.2",
  data: {},
  ...more,
});

export const defaultBy = (nexthop: string, more: UbusInputTable = {}) => ({
  target: "0.0.0.0",
  mask: 0,
  nexthop,
  ...more,
  source: "0.0.0.0/0",
});
