import type { System } from "./system.ts";

/** `ok`: nothing to do. `warning`: Binder runs, but less well. `error`: Binder can't do its work. */
export type Level = "ok" | "warning" | "error";

/** What one check came to. */
export interface Finding {
  /** The check's name, a word or two. */
  readonly check: string;
  readonly level: Level;
  /** What was found, and what it means. */
  readonly found: string;
  /** What to do about it; empty if nothing. */
  readonly advice: string;
  /** What to install, by the system's own package names. */
  readonly packages: readonly string[];
}

/** A program of the machine. */
export type ProgramFact =
  | { readonly kind: "missing" }
  /** `text` is what it prints when it is asked for its version. */
  | { readonly kind: "there"; readonly text: string };

export const PROGRAMS = ["openvpn", "haproxy", "mptcpize", "nft", "ip", "ss", "conntrack", "dnsmasq", "openssl", "modprobe"] as const;
export type ProgramName = (typeof PROGRAMS)[number];

/** The answer to something that was tried: empty if it worked, otherwise the words of what refused it. */
export type Trial = string;

export interface ConfigFact {
  readonly file: string;
  /** A sentence each. */
  readonly errors: readonly string[];
}

/** All that the checks rest on. */
export interface Facts {
  readonly system: System;
  readonly home: boolean;
  readonly relay: boolean;
  /** Whether the doctor itself runs as root; otherwise much can't be tried. */
  readonly root: boolean;
  readonly kernel: {
    /** `uname -r`. */
    readonly release: string;
    /** /proc/sys/net/mptcp/enabled; undefined: the kernel has no MPTCP. */
    readonly mptcp: string | undefined;
    /** Why /dev/net/tun can't be opened, an errno's name; empty if it can. */
    readonly tun: Trial;
    readonly policyRouting: Trial;
    /** `ip mptcp`, which old or small builds of ip lack. */
    readonly ipMptcp: Trial;
    /** By the name of the trial. */
    readonly nft: ReadonlyMap<string, Trial>;
    readonly congestion: readonly string[];
    /** Congestion controls that modprobe could load. */
    readonly loadable: readonly string[];
  };
  readonly programs: ReadonlyMap<ProgramName, ProgramFact>;
  readonly limits: {
    /** Bytes. */
    readonly memory: number;
    readonly available: number;
    readonly descriptors: number;
    /** Maximum of tcp_rmem, bytes. */
    readonly receiveBuffer: number;
    /** Whether Binder's daemon runs, and has raised what it raises. */
    readonly running: boolean;
  };
  /** Wall clock, ms since 1970. */
  readonly clock: number;
  readonly conflicts: {
    readonly mwan3: boolean;
    readonly flowtables: boolean;
    /** Rules of others that come before Binder's, as a person reads them. */
    readonly earlierRules: readonly string[];
    /** Routes that overlap prefixes of Binder's. */
    readonly overlaps: readonly { readonly prefix: string; readonly route: string }[];
  };
  readonly configs: readonly ConfigFact[];
  /** Congestion controls that the configurations name. */
  readonly wantedCongestion: readonly string[];
  /** A relay's own resolver is wanted. */
  readonly wantsDnsmasq: boolean;
  /** Devices that the configuration names and the machine lacks. */
  readonly missingDevices: readonly string[];
}
