import type { Prefix } from "../plan/addresses.ts";

/** A home's configuration, `/etc/config/binder`, typed and validated. Section and option names are those of the file. */
export interface Config {
  readonly main: MainSection;
  readonly lans: readonly LanSection[];
  /** By priority, lowest number first; then in the file's order. */
  readonly relays: readonly RelaySection[];
  readonly gateways: readonly GatewaySection[];
  readonly bypasses: readonly BypassSection[];
}

export interface MainSection {
  readonly enabled: boolean;
  readonly transport: "auto" | "proxy" | "tunnel";
  /** `carry` is refused until it is built. */
  readonly ipv6: "leave" | "off";
  /** Name of a congestion control, `cubic` or `bbr`. */
  readonly congestion: string;
  /** A /28 or larger, so that gateway 15 has an alias. */
  readonly aliasPrefix: Prefix;
  readonly logLevel: "error" | "warning" | "info" | "debug";
}

/** Where captured traffic comes from: a device of the kernel, or a network of netifd's. */
export type LanSection = { readonly name: string } & ({ readonly device: string } | { readonly network: string });

export interface RelaySection {
  readonly name: string;
  readonly enabled: boolean;
  /** Public IPv4 addresses. */
  readonly addresses: readonly string[];
  /** Base port: lane i is UDP port + i. */
  readonly port: number;
  readonly priority: number;
}

/** How a gateway is reached from home. */
export type Reach =
  | { readonly kind: "via"; readonly device: string /** IPv4 next hop. */; readonly via: string }
  | { readonly kind: "network"; readonly network: string }
  | { readonly kind: "remote" /** IPv4 address on the mesh. */; readonly remote: string; readonly encap: "vxlan" | "ipip" | "gre" };

export interface GatewaySection {
  readonly name: string;
  readonly enabled: boolean;
  readonly reach: Reach;
  /** 1 carries, 2 and more stand by. */
  readonly priority: number;
  /** 1 to 256. */
  readonly weight: number;
  /** Bytes a month. */
  readonly quota?: number;
  /** Of the lane's device, bytes, 576 to 1500; absent: 1400, lowered by what the path shows. */
  readonly mtu?: number;
}

/** Traffic that goes around Binder, all given matches together. */
export interface BypassSection {
  readonly name: string;
  readonly dest?: Prefix;
  readonly ports?: readonly { readonly first: number; readonly last: number }[];
  readonly proto?: "tcp" | "udp" | "icmp";
  readonly src?: Prefix;
  readonly mac?: string;
  /** Leave by this gateway directly; absent: as if Binder were not there. */
  readonly gateway?: string;
}

/** One thing that is wrong with a configuration. */
export interface ConfigError {
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  /** `gateway 'school'`, or `gateway` for one without a name; empty for errors of the file itself. */
  readonly section: string;
  /** Empty where the section as a whole is wrong. */
  readonly option: string;
  /** The rule that is broken, as a sentence that tells what is right. */
  readonly rule: string;
  /** The value that breaks it; empty if it is absent. */
  readonly value: string;
}
