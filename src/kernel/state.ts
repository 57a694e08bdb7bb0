/**
 * What Binder wants of the kernel, as plain data. The brain makes one of these; kernel/ reads the same shape back from the kernel,
 * compares, and applies the difference. Two equal states need no operation.
 */

/** A persistent tun that Binder makes (`ip tuntap add`), so that an OpenVPN that dies takes nothing with it. Always wanted up. */
export interface TunDevice {
  readonly name: string;
  /** Bytes. */
  readonly mtu: number;
  /** Packets. */
  readonly txQueueLength: number;
}

export interface Address {
  readonly device: string;
  /** IPv4, dotted. */
  readonly address: string;
  readonly prefixLength: number;
}

export interface MarkMatch {
  readonly value: number;
  readonly mask: number;
}

/** What a rule does with the packets that it matches. */
export type RuleAction =
  | { readonly kind: "lookup"; readonly table: number; readonly suppressPrefixLength?: number }
  | { readonly kind: "unreachable" };

/** A policy routing rule, IPv4 (`ip rule`). All of Binder's carry protocol 213. */
export interface Rule {
  readonly preference: number;
  /** Prefix, `198.18.213.1` or `198.19.0.0/16`; absent: any. */
  readonly from?: string;
  readonly to?: string;
  readonly mark?: MarkMatch;
  /** The device that the packet came in by. */
  readonly incoming?: string;
  /** The device that the sending socket is bound to (SO_BINDTODEVICE). */
  readonly bound?: string;
  readonly action: RuleAction;
}

export interface NextHop {
  readonly device: string;
  /** The gateway's IPv4 address; absent where the device is point to point. */
  readonly via?: string;
  /** Believe that `via` is reachable on the device, whatever its addresses. */
  readonly onlink?: boolean;
  /** 1 to 256; 1 by default. */
  readonly weight?: number;
}

/** An IPv4 route with protocol 213. */
export interface Route {
  readonly table: number;
  /** `default`, or a prefix; a host without `/32`. */
  readonly destination: string;
  /** At least one for `unicast`; none for the others. */
  readonly nextHops: readonly NextHop[];
  readonly kind: "unicast" | "unreachable";
  readonly metric?: number;
  /** Preferred source address. */
  readonly source?: string;
  /** Congestion control of what this host opens over the route. */
  readonly congestion?: string;
  /** Of the whole path, bytes; absent: the device's. */
  readonly mtu?: number;
  /** What a TCP connection may send at once when it begins, packets; absent: the kernel's ten. */
  readonly initialWindow?: number;
}

/** An MPTCP endpoint of kind `subflow`. Its identifier is the kernel's. */
export interface Endpoint {
  readonly address: string;
  /** Its subflows are bound to it; absent: routes alone decide by what they leave. */
  readonly device?: string;
  readonly backup: boolean;
}

/** `set`: exactly this; `raise`: at least this, number by number (`tcp_rmem` has three). */
export interface Sysctl {
  /** With slashes, as under /proc/sys: `net/mptcp/blackhole_timeout`. */
  readonly key: string;
  readonly mode: "set" | "raise";
  readonly value: string;
}

export interface KernelState {
  readonly devices: readonly TunDevice[];
  readonly addresses: readonly Address[];
  readonly rules: readonly Rule[];
  readonly routes: readonly Route[];
  readonly endpoints: readonly Endpoint[];
  /** MPTCP limit of subflows to raise to, 0 to 8; 0: leave alone. */
  readonly subflowLimit: number;
  readonly sysctls: readonly Sysctl[];
  /** The body of `table inet binder { … }`, lines of nft; undefined: no table. */
  readonly nft: string | undefined;
}

export const emptyState: KernelState = {
  devices: [],
  addresses: [],
  rules: [],
  routes: [],
  endpoints: [],
  subflowLimit: 0,
  sysctls: [],
  nft: undefined,
};

/** What tells Binder's own objects from everybody else's. */
export interface Ownership {
  /** Devices with this prefix are Binder's: `binder-`. */
  readonly devicePrefix: string;
  /** Addresses on `lo`, and endpoints, are Binder's if they lie in one of these prefixes (`198.18.213.0/24`, `198.19.0.0/16`). */
  readonly prefixes: readonly string[];
  /** Routes and rules with this protocol are Binder's: 213. */
  readonly protocol: number;
  /** The nft table (family inet): `binder`. */
  readonly nftTable: string;
  /** Where former values of sysctls and limits are kept: `/var/run/binder/saved`. */
  readonly savedDirectory: string;
}
