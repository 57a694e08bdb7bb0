/** From a description to what has to be made: pure, so that it can be read and tested by itself. */
import type { Description, TcpSettings } from "./types.ts";

export interface Address {
  readonly device: string;
  /** With the prefix length: `45.0.1.2/30`. */
  readonly cidr: string;
}

export interface NodePlan {
  readonly name: string;
  readonly router: boolean;
  /** A bridge that all the node's devices but those of `addresses` are ports of. */
  readonly bridge?: string;
  readonly addresses: readonly Address[];
  /** The default route's next hop. */
  readonly via?: string;
  /** The far ends of emulated lines: ARP would cost a round trip now and then, and a real line has none. */
  readonly neighbours?: readonly Neighbour[];
  /** The device towards the Internet, behind which others' addresses are hidden. */
  readonly masquerade?: string;
  readonly tcp: TcpSettings;
}

export interface End {
  readonly node: string;
  readonly device: string;
  readonly mac?: string;
}

/** What a node need not ask for by ARP. */
export interface Neighbour {
  readonly device: string;
  readonly address: string;
  readonly mac: string;
}

export interface Cable {
  readonly ends: readonly [End, End];
  readonly mtu: number;
  /** Whether frames must look as on a wire: no offload at either end. */
  readonly plain: boolean;
}

export interface GatewayPlan {
  readonly node: string;
  /** The home's device towards it, and its address there. */
  readonly device: string;
  readonly address: string;
}

export interface Topology {
  readonly nodes: readonly NodePlan[];
  readonly cables: readonly Cable[];
  readonly gateways: readonly GatewayPlan[];
}

/** The node that the emulated lines' ends are in; it has no addresses. */
export const WIRE = "wire";

function numbered(name: string, index: number): string {
  return index === 0 ? name : `${name}${String(index + 1)}`;
}

/** Locally administered; it says the uplink's address. */
function lineMac(index: number, end: 1 | 2): string {
  return `02:00:2d:00:${(index + 1).toString(16).padStart(2, "0")}:0${String(end)}`;
}

function whole(what: string, value: number, least: number, most: number): number {
  if (!Number.isInteger(value) || value < least || value > most)
    throw new RangeError(`${what} is ${String(value)}; it must be a whole number of ${String(least)} to ${String(most)}`);
  return value;
}

/** Throws RangeError for numbers of nodes that the addresses do not allow. */
export function planTopology(description: Description): Topology {
  const nodes: NodePlan[] = [];
  const cables: Cable[] = [];
  const gateways: GatewayPlan[] = [];
  const homeAddresses: Address[] = [{ device: "lan0", cidr: "192.168.1.1/24" }];
  const inetAddresses: Address[] = [];
  const inetNeighbours: Neighbour[] = [];
  const meshed = description.gateways.some((gateway) => (gateway.attach ?? "mesh") === "mesh");
  const add = (plan: Omit<NodePlan, "tcp">): void => {
    nodes.push({ ...plan, tcp: { ...description.tcp, ...description.tcpOf?.[plan.name] } });
  };
  const cable = (a: End, b: End, mtu = 1500, plain = false): void => {
    cables.push({ ends: [a, b], mtu, plain });
  };

  const lanHosts = whole("lanHosts", description.lanHosts ?? 1, 0, 200);
  for (let i = 0; i < lanHosts; i++) {
    const name = `lan${String(i + 1)}`;
    add({ name, router: false, addresses: [{ device: "eth0", cidr: `192.168.1.${String(10 + i)}/24` }], via: "192.168.1.1" });
    if (lanHosts === 1) cable({ node: "home", device: "lan0" }, { node: name, device: "eth0" });
    else cable({ node: "lan", device: name }, { node: name, device: "eth0" });
  }
  if (lanHosts !== 1) {
    add({ name: "lan", router: false, bridge: "lan", addresses: [] });
    cable({ node: "home", device: "lan0" }, { node: "lan", device: "home" });
  }
  if (meshed) {
    add({ name: "mesh", router: false, bridge: "mesh", addresses: [] });
    homeAddresses.push({ device: "mesh0", cidr: "10.77.0.2/24" });
    cable({ node: "home", device: "mesh0" }, { node: "mesh", device: "home" });
  }

  const homes = whole("homes", description.homes ?? 1, 1, 50);
  if (homes > 1 && !meshed) throw new RangeError("several homes need a mesh: a gateway that is not attached by wan");
  for (let i = 2; i <= homes; i++) {
    const name = `home${String(i)}`;
    const host = `${name}-lan`;
    const address = `10.77.0.${String(i + 1)}/24`;
    add({
      name,
      router: true,
      addresses: [
        { device: "lan0", cidr: "192.168.1.1/24" },
        { device: "mesh0", cidr: address },
      ],
    });
    add({ name: host, router: false, addresses: [{ device: "eth0", cidr: "192.168.1.10/24" }], via: "192.168.1.1" });
    cable({ node: name, device: "lan0" }, { node: host, device: "eth0" });
    cable({ node: name, device: "mesh0" }, { node: "mesh", device: name });
  }

  whole("number of gateways", description.gateways.length, 1, 30);
  description.gateways.forEach((gateway, index) => {
    const number = String(index + 1);
    const node = `gw${number}`;
    const onMesh = (gateway.attach ?? "mesh") === "mesh";
    const device = onMesh ? "mesh0" : "home0";
    const address = onMesh ? `10.77.0.${String(101 + index)}` : (gateway.address ?? `192.168.${String(11 + index)}.1`);
    const homeDevice = onMesh ? "mesh0" : `wan${number}`;
    if (onMesh) {
      cable({ node, device }, { node: "mesh", device: node });
    } else {
      const homeAddress = gateway.homeAddress ?? address.replace(/\d+$/, "100");
      homeAddresses.push({ device: homeDevice, cidr: `${homeAddress}/24` });
      cable({ node, device }, { node: "home", device: homeDevice });
    }
    add({
      name: node,
      router: true,
      addresses: [
        { device, cidr: `${address}/24` },
        { device: "up0", cidr: `45.0.${number}.2/30` },
      ],
      via: `45.0.${number}.1`,
      neighbours: [{ device: "up0", address: `45.0.${number}.1`, mac: lineMac(index, 1) }],
      masquerade: "up0",
    });
    inetAddresses.push({ device: node, cidr: `45.0.${number}.1/30` });
    const mtu = whole(`deviceMtu of ${node}`, gateway.deviceMtu ?? 1500, 68, 1500);
    inetNeighbours.push({ device: node, address: `45.0.${number}.2`, mac: lineMac(index, 2) });
    cable({ node, device: "up0", mac: lineMac(index, 2) }, { node: WIRE, device: `near${number}` }, mtu, true);
    cable({ node: WIRE, device: `far${number}` }, { node: "inet", device: node, mac: lineMac(index, 1) }, mtu, true);
    gateways.push({ node, device: homeDevice, address });
  });

  for (const [kind, many, base] of [
    ["relay", whole("relays", description.relays ?? 1, 0, 50), 100],
    ["server", whole("servers", description.servers ?? 1, 0, 50), 200],
  ] as const) {
    for (let i = 0; i < many; i++) {
      const name = numbered(kind, i);
      const net = `45.0.${String(base + i)}`;
      add({ name, router: false, addresses: [{ device: "eth0", cidr: `${net}.2/24` }], via: `${net}.1` });
      inetAddresses.push({ device: name, cidr: `${net}.1/24` });
      cable({ node: name, device: "eth0" }, { node: "inet", device: name });
    }
  }
  add({ name: "home", router: true, addresses: homeAddresses });
  add({ name: "inet", router: true, addresses: inetAddresses, neighbours: inetNeighbours });
  add({ name: WIRE, router: false, addresses: [] });
  return { nodes, cables, gateways };
}
