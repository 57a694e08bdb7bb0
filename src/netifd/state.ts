import type { UbusTable, UbusValue } from "../ubus-client/index.ts";

/** A network of /etc/config/network, as netifd (git of 2026-07-17, ubus.c, netifd_dump_status) says that it is. IPv4 alone. */
export type NetworkState =
  /** There is none of this name. */
  | { readonly kind: "absent" }
  /** `reason`: netifd's word for what is wrong (`NO_DEVICE`), `pending` while it is being set up, or nothing. */
  | { readonly kind: "down"; readonly reason: string }
  | {
      readonly kind: "up";
      /** The one that packets leave by: `pppoe-wan`, not the Ethernet below it. */
      readonly device: string;
      /** Of the default route; undefined where there is none, or none is needed, as on a point-to-point link. */
      readonly nextHop: string | undefined;
      /** With their prefix lengths: `192.0.2.7/24`. */
      readonly addresses: readonly string[];
      /** Resolvers that came with it. */
      readonly resolvers: readonly string[];
    };

/**
 * The state of one network in the answer of `network.interface dump`. A modem's network has no address itself: netifd's protocol scripts
 * make a second one, called `NAME_4`, for IPv4; that one's state is the network's then.
 */
export function networkState(dump: UbusTable, name: string): NetworkState {
  const networks = tables(dump["interface"]);
  const stateOf = (wanted: string): NetworkState => {
    const found = networks.find(({ interface: own }) => own === wanted);
    return found === undefined ? { kind: "absent" } : read(found);
  };
  const own = stateOf(name);
  if (own.kind !== "up" || own.addresses.length > 0) return own;
  const child = stateOf(childOf(name));
  return child.kind === "absent" ? own : child;
}

export const childOf = (name: string): string => `${name}_4`;

function read(network: UbusTable): NetworkState {
  const device = text(network["l3_device"]);
  if (network["up"] !== true || device === "") return { kind: "down", reason: reasonOf(network) };
  const addresses = tables(network["ipv4-address"]).map(({ address, mask }) => `${text(address)}/${typeof mask === "number" ? mask : 32}`);
  return { kind: "up", device, nextHop: nextHopOf(network), addresses, resolvers: texts(network["dns-server"]).filter(isIpv4) };
}

function reasonOf(network: UbusTable): string {
  const [error] = tables(network["errors"]);
  return error === undefined ? (network["pending"] === true ? "pending" : "") : text(error["code"]);
}

/** Of the default route with the lowest metric. With `option defaultroute 0` it is among those that are not used. */
function nextHopOf({ route, inactive }: UbusTable): string | undefined {
  const routes = [...tables(route), ...(isTable(inactive) ? tables(inactive["route"]) : [])];
  const metric = (found: UbusTable): number => (typeof found["metric"] === "number" ? found["metric"] : 0);
  const hops = routes
    .filter(({ target, mask, nexthop }) => target === "0.0.0.0" && mask === 0 && nexthop !== "0.0.0.0")
    .sort((a, b) => metric(a) - metric(b))
    .map(({ nexthop }) => text(nexthop));
  return hops.find(isIpv4);
}

const isIpv4 = (address: string): boolean => /^\d+\.\d+\.\d+\.\d+$/.test(address);
const text = (value: UbusValue | undefined): string => (typeof value === "string" ? value : "");
const list = (value: UbusValue | undefined): readonly UbusValue[] => (isList(value) ? value : []);
const texts = (value: UbusValue | undefined): readonly string[] => list(value).map(text);
const tables = (value: UbusValue | undefined): readonly UbusTable[] => list(value).filter(isTable);

/** Array.isArray does not know of readonly ones. */
const isList = (value: UbusValue | undefined): value is readonly UbusValue[] => Array.isArray(value);

function isTable(value: UbusValue | undefined): value is UbusTable {
  return typeof value === "object" && value !== null && !isList(value) && !(value instanceof Uint8Array);
}
