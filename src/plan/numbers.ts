/** Numbers that several parts must agree on, in one place. */

/** The mark of Binder's routes and rules (`proto 213`). */
export const PROTOCOL = 213;
export const NFT_TABLE = "binder";
export const DEVICE_PREFIX = "binder-";

/** Gateway numbers. */
export const MIN_GATEWAY = 1;
export const MAX_GATEWAY = 15;
/** The kernel's limit of MPTCP endpoints, and so of lanes that carry subflows at a time (net/mptcp/protocol.h, MPTCP_PM_ADDR_MAX). */
export const MAX_SUBFLOWS = 8;

export const DEFAULT_ALIAS_PREFIX = "198.18.213.0/24";
export const DEFAULT_LANE_PREFIX = "198.19.0.0/16";

/** Homes are number 2 to 4094 in every /20 block; 1 is the relay. */
export const RELAY_HOST = 1;
export const MIN_HOME = 2;
export const MAX_HOME = 4094;

/** Routing tables. */
export const TABLE_MAIN = 254;
export const TABLE_RELAY = 21300;
export const tableOfGateway = (i: number): number => 21300 + i;
export const TABLE_NO_ROUTE = 21346;
/** At the relay: the homes' lane addresses, with the window that a subflow begins with. */
export const TABLE_LANE_WINDOWS = 21347;
export const tableOfLane = (i: number): number => 21330 + i;

/** Rule preferences, all under mwan3's 1000. */
export const prefOfAlias = (i: number): number => 700 + i;
/** Relayed marks, and the route probe: what the main table routes by more than a default route is left to it. */
export const PREF_RELAYED_ROUTED = 716;
/** The same for marks of kind plain (direct through a gateway). */
export const PREF_PLAIN_ROUTED = 717;
/** The route probe ends here for what has a default route only. */
export const PREF_ROUTE_PROBE_END = 718;
/** Relayed marks of sockets that are bound to a device: as if Binder were not there. */
export const PREF_BOUND = 719;
/** Before the lanes' own: what is marked so goes by the nearest lane. */
export const PREF_NEAREST = 720;
export const prefOfLane = (i: number): number => 730 + i;
export const PREF_STABLE = 746;
export const PREF_RELAY = 760;
export const prefOfDirectMark = (i: number): number => 760 + i;
export const prefOfLaneMark = (i: number): number => 775 + i;
/** Behind the main and default tables (32766, 32767): for what has no route at all. */
export const PREF_NO_ROUTE = 33_000;

/** Ports on the relay's service address, reached over lanes alone. */
export const PORT_PROXY = 2130;
export const PORT_PROBE = 2131;
export const PORT_DNS = 53;
/** The home's HAProxy, where captured connections are redirected to. */
export const PORT_CAPTURE = 2130;
/** The relay's UDP port of lane i is its base port + i. */
export const DEFAULT_BASE_PORT = 21300;
export const portOfLane = (base: number, i: number): number => base + i;
export const deviceOfLane = (i: number): string => `${DEVICE_PREFIX}${i}`;
export const deviceOfRelayLane = (i: number): string => `${DEVICE_PREFIX}l${i}`;
