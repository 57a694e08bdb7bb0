import type { NodeFile, TestNode } from "./node.ts";
import type { Cable, End, NodePlan } from "./topology.ts";

/**
 * A new network namespace takes these from the machine's own, so each is said. Routers have what OpenWrt gives them.
 * net.core.rmem_max and tcp_mem are the machine's; they have no value of a namespace's own.
 */
function sysctls(plan: NodePlan, congestion: string, ipv6: boolean): Record<string, string> {
  const { receiveBuffer = 6 << 20, sendBuffer = 4 << 20 } = plan.tcp;
  const values: Record<string, string> = {
    "net/ipv4/ip_forward": plan.router ? "1" : "0",
    "net/ipv4/tcp_congestion_control": congestion,
    "net/ipv4/tcp_rmem": `4096 ${String(Math.min(131072, receiveBuffer))} ${String(receiveBuffer)}`,
    "net/ipv4/tcp_wmem": `4096 ${String(Math.min(16384, sendBuffer))} ${String(sendBuffer)}`,
  };
  for (const device of ["all", "default", "lo"]) {
    values[`net/ipv4/conf/${device}/rp_filter`] = "0";
    values[`net/ipv4/conf/${device}/accept_redirects`] = "0";
    values[`net/ipv4/conf/${device}/send_redirects`] = "0";
    values[`net/ipv4/conf/${device}/arp_ignore`] = plan.router ? "1" : "0";
    values[`net/ipv4/conf/${device}/src_valid_mark`] = "0";
    values[`net/ipv4/conf/${device}/ignore_routes_with_linkdown`] = "0";
    values[`net/ipv6/conf/${device}/disable_ipv6`] = ipv6 ? "0" : "1";
  }
  if (ipv6) values["net/ipv6/conf/all/forwarding"] = plan.router ? "1" : "0";
  return values;
}

function devicesOf(plan: NodePlan, cables: readonly Cable[]): string[] {
  return cables.flatMap(({ ends }) => ends.filter((end) => end.node === plan.name).map((end) => end.device));
}

/** Makes all cables at once; `node` is any node. */
export async function layCables(node: TestNode, nodes: ReadonlyMap<string, TestNode>, cables: readonly Cable[]): Promise<void> {
  const pid = (name: string): string => {
    const found = nodes.get(name);
    if (found === undefined) throw new Error(`no node ${name}`);
    return String(found.pid);
  };
  const words = ({ node: name, device, mac }: End, mtu: number): string =>
    `name ${device} mtu ${String(mtu)} ${mac === undefined ? "" : `address ${mac} `}netns ${pid(name)}`;
  await node.ipOutside(cables.map(({ ends: [a, b], mtu }) => `link add ${words(a, mtu)} type veth peer ${words(b, mtu)}`));
}

/** Brings a node up: files, sysctls, devices, addresses, routes, NAT. Its cables are there already. */
export async function configureNode(
  node: TestNode,
  plan: NodePlan,
  cables: readonly Cable[],
  congestion: string,
  ipv6: boolean,
): Promise<void> {
  const settings = Object.entries(sysctls(plan, congestion, ipv6));
  const hosts = `127.0.0.1\tlocalhost\n127.0.1.1\t${plan.name}\n`;
  await node.writeAll([
    { path: "/etc/hostname", text: `${plan.name}\n`, mode: 0o644 },
    { path: "/etc/hosts", text: hosts, mode: 0o644 },
    ...settings.map(([name, text]): NodeFile => ({ path: `/proc/sys/${name}`, text, mode: undefined })),
  ]);
  const devices = devicesOf(plan, cables);
  const plain = cables.filter((cable) => cable.plain).flatMap(({ ends }) => ends.filter((end) => end.node === plan.name));
  if (plain.length > 0) await node.makePlain(plain.map((end) => end.device));
  const addressed = new Set(plan.addresses.map((address) => address.device));
  const { bridge } = plan;
  await node.ip([
    "link set dev lo up",
    ...(bridge === undefined ? [] : [`link add name ${bridge} type bridge`, `link set dev ${bridge} up`]),
    ...plan.addresses.map(({ device, cidr }) => `address add ${cidr} dev ${device}`),
    ...devices.map((device) => `link set dev ${device} ${bridge === undefined || addressed.has(device) ? "" : `master ${bridge} `}up`),
    ...(plan.neighbours ?? []).map(({ device, address, mac }) => `neigh replace ${address} lladdr ${mac} dev ${device} nud permanent`),
    ...(plan.via === undefined ? [] : [`route add default via ${plan.via}`]),
  ]);
  if (plan.masquerade !== undefined) {
    const rules = `table ip nat { chain out { type nat hook postrouting priority srcnat; oifname "${plan.masquerade}" masquerade; }; }`;
    await node.must("nft", ["-f", "-"], { input: rules });
  }
}
