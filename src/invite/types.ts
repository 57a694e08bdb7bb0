/** All that a home needs to use a relay; printed by `binder relay add-home` as one line, read by `binder join`. */
export interface Invite {
  /** The relay's name, that of its section and of its folder in /etc/binder. */
  readonly relay: string;
  readonly home: string;
  /** The home's number, 2 to 4094. */
  readonly number: number;
  /** The relay's public IPv4 addresses. */
  readonly addresses: readonly string[];
  /** Lane i is UDP port + i. */
  readonly port: number;
  /** The prefix that is cut into sixteen blocks, `198.19.0.0/16`. */
  readonly prefix: string;
  /** IPv4 address of the resolver to use over the lanes. */
  readonly resolver: string;
  /** PEM texts. */
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
  readonly tlsCrypt: string;
}
