import { networkState } from "../../src/netifd/state.ts";
import { decodeTable, encodeTable, type UbusInputTable } from "../../src/ubus-client/index.ts";
import { test } from "../harness/index.ts";
import { defaultBy, down, up } from "./dump.ts";

/** As it comes over ubus. */
const stateOf = (networks: readonly UbusInputTable[], name = "wan") =>
  networkState(decodeTable(encodeTable({ interface: networks })), name);

const OTHERS = [
  up("loopback", { device: "lo", proto: "static", address: ["127.0.0.1", 8] }),
  up("lan", { device: "br-lan", proto: "static", address: ["192.168.1.1", 24], routes: [defaultBy("192.168.1.9")] }),
];

const CASES: readonly (readonly [string, readonly UbusInputTable[], unknown])[] = [
  [
    "DHCP",
    [
      up("wan", {
        device: "eth1",
        address: ["192.0.2.7", 24],
        routes: [defaultBy("192.0.2.1")],
        resolvers: ["192.0.2.53", "2001:db8::53"],
      }),
    ],
    { kind: "up", device: "eth1", nextHop: "192.0.2.1", addresses: ["192.0.2.7/24"], resolvers: ["192.0.2.53"] },
  ],
  [
    "PPPoE, where the route needs no next hop",
    [
      up("wan", {
        device: "eth1.7",
        l3: "pppoe-wan",
        proto: "pppoe",
        address: ["198.51.100.4", 32],
        peer: "198.51.100.1",
        routes: [defaultBy("0.0.0.0")],
      }),
    ],
    { kind: "up", device: "pppoe-wan", nextHop: undefined, addresses: ["198.51.100.4/32"], resolvers: [] },
  ],
  [
    "a modem, whose addresses are another network's",
    [
      up("wan", { device: "wwan0", proto: "qmi" }),
      up("wan_4", { device: "wwan0", address: ["10.64.3.2", 30], routes: [defaultBy("10.64.3.1")] }),
      up("wan_6", { device: "wwan0", proto: "dhcpv6" }),
    ],
    { kind: "up", device: "wwan0", nextHop: "10.64.3.1", addresses: ["10.64.3.2/30"], resolvers: [] },
  ],
  [
    "a modem that has no lease yet",
    [up("wan", { device: "wwan0", proto: "qmi" }), down("wan_4", { pending: true })],
    { kind: "down", reason: "pending" },
  ],
  [
    "option defaultroute 0",
    [up("wan", { device: "eth1", address: ["192.0.2.7", 24], unused: [defaultBy("192.0.2.1")] })],
    { kind: "up", device: "eth1", nextHop: "192.0.2.1", addresses: ["192.0.2.7/24"], resolvers: [] },
  ],
  [
    "two default routes: the lower metric",
    [
      up("wan", {
        device: "eth1",
        address: ["192.0.2.7", 24],
        routes: [
          { target: "10.0.0.0", mask: 8, nexthop: "192.0.2.3" },
          defaultBy("192.0.2.2", { metric: 20 }),
          defaultBy("192.0.2.1", { metric: 10 }),
        ],
      }),
    ],
    { kind: "up", device: "eth1", nextHop: "192.0.2.1", addresses: ["192.0.2.7/24"], resolvers: [] },
  ],
  [
    "no default route at all",
    [up("wan", { device: "eth1", proto: "static", address: ["192.0.2.7", 24] })],
    { kind: "up", device: "eth1", nextHop: undefined, addresses: ["192.0.2.7/24"], resolvers: [] },
  ],
  [
    "IPv6 alone",
    [up("wan", { device: "eth1", routes: [{ target: "::", mask: 0, nexthop: "fe80::1" }] })],
    { kind: "up", device: "eth1", nextHop: undefined, addresses: [], resolvers: [] },
  ],
  ["no cable", [down("wan")], { kind: "down", reason: "" }],
  [
    "a device that is not there",
    [down("wan", { errors: [{ subsystem: "interface", code: "NO_DEVICE" }] })],
    { kind: "down", reason: "NO_DEVICE" },
  ],
  ["up, and no device", [down("wan", { up: true })], { kind: "down", reason: "" }],
  ["another name", [up("wan2", { device: "eth1" })], { kind: "absent" }],
];

for (const [name, networks, wanted] of CASES) {
  test(`state: ${name}`, (t) => {
    t.strictSame(stateOf([...OTHERS, ...networks]), wanted);
  });
}

test("an answer of another shape is no network", (t) => {
  for (const value of [{}, { interface: 1 }, { interface: [1, "wan", null, []] }, { interface: { interface: "wan" } }]) {
    t.strictSame(networkState(value, "wan"), { kind: "absent" });
  }
  t.strictSame(networkState({ interface: [{ interface: "wan", up: true, l3_device: "eth1", route: 1, inactive: [] }] }, "wan"), {
    kind: "up",
    device: "eth1",
    nextHop: undefined,
    addresses: [],
    resolvers: [],
  });
});
