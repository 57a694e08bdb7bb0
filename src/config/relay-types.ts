import type { Prefix } from "../plan/addresses.ts";

/** A relay's own configuration, `/etc/config/binder-relay`, typed and validated. */
export interface RelayConfig {
  readonly enabled: boolean;
  /** What homes call it, in their section and in their folder of keys. */
  readonly name: string;
  /** Its public IPv4 addresses, which invites name; empty until it is set up. */
  readonly addresses: readonly string[];
  /** Base port: lane i is UDP port + i. */
  readonly port: number;
  /** Cut into sixteen blocks: 0 for stable addresses, i for those of lane i. A /16 has room for homes 2 to 4094. */
  readonly prefix: Prefix;
  /** IPv4 address of the resolver that homes use; absent: the relay's own, on its service address. */
  readonly resolver?: string;
  /** How many lane servers run, 1 to 15; a home can use no more gateways than this. */
  readonly lanes: number;
  /** Name of a congestion control, `cubic` or `bbr`. */
  readonly congestion: string;
  /** The most connections that one home can have at a time. */
  readonly connections: number;
  /** Let homes reach TCP port 25. */
  readonly allowSmtp: boolean;
  /** The device to the Internet; absent: that of the default route. */
  readonly device?: string;
}
