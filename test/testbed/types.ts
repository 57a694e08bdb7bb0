/** What a testbed is made from. Rates are bit/s of Ethernet frames (an IP packet of 1500 bytes counts 1514), times milliseconds. */

/** One direction of an emulated line. What is left out does not limit. */
export interface Line {
  /** bit/s, up to 10^11. Infinity: no limit, and no queue then. */
  readonly rate?: number;
  /** One way, 0 to 60 000 ms. While there is traffic a frame leaves up to 0.5 ms late, never early. */
  readonly delay?: number;
  /** A frame is delayed by `delay` and up to this much more, evenly spread. */
  readonly jitter?: number;
  /** Whether jitter may change the order of frames. Default false. */
  readonly reorder?: boolean;
  /** The share of frames lost at random after they used the line, 0 to 1. */
  readonly loss?: number;
  /** How much may wait, in bytes or in milliseconds at `rate`; what comes then is dropped. Default the larger of 60 kB and 100 ms. */
  readonly queue?: number | { readonly ms: number };
  /** Larger IP packets vanish without an answer. Default none do. (A line that answers has a device MTU: {@link Gateway.deviceMtu}.) */
  readonly mtu?: number;
  /** IP fragments vanish. Default false. */
  readonly dropFragments?: boolean;
  /** Everything vanishes, what is on its way included. Default false. */
  readonly block?: boolean;
}

/** Both directions alike, but for what `up` and `down` say otherwise. Up is from the home to the Internet. */
export interface TwoWayLine extends Line {
  readonly up?: Line;
  readonly down?: Line;
}

export interface Gateway extends TwoWayLine {
  /**
   * Where the home finds it: on the shared mesh segment (default; 10.77.0.100 + i), or on an interface of the home's own named
   * `wan<i>`, with `address` and `homeAddress`.
   */
  readonly attach?: "mesh" | "wan";
  /** With `wan`: the gateway's own address in a /24. Default 192.168.(10 + i).1. Several gateways may have the same. */
  readonly address?: string;
  /** With `wan`: the home's address there. Default the gateway's with .100 at the end. */
  readonly homeAddress?: string;
  /** MTU of the gateway's uplink device, 68 to 1500 (PPPoE 1492, LTE 1420): it answers what is too large as RFC 792 says. Default 1500. */
  readonly deviceMtu?: number;
}

/** TCP settings of a node; a new network namespace would inherit the machine's. */
export interface TcpSettings {
  /**
   * tcp_congestion_control. One that the machine does not allow its namespaces is an error. Default cubic, and where the machine does
   * not allow that, the machine's own: {@link Testbed.warnings} says so then.
   */
  readonly congestion?: string;
  /** Maximum of tcp_rmem in bytes. Default 6 MiB. */
  readonly receiveBuffer?: number;
  /** Maximum of tcp_wmem in bytes. Default 4 MiB. */
  readonly sendBuffer?: number;
}

export interface Description {
  /** One each: gw1, gw2, … 1 to 30 of them. */
  readonly gateways: readonly Gateway[];
  /**
   * Homes on the mesh. Default 1. The others are home2, home3, … at 10.77.0.3, .4, …, each with one LAN host home<i>-lan; gateways
   * with `wan` are the first home's alone.
   */
  readonly homes?: number;
  /** LAN hosts lan1, lan2, … at 192.168.1.10, .11, … Default 1. */
  readonly lanHosts?: number;
  /** relay at 45.0.100.2, relay2 at 45.0.101.2, … Default 1. */
  readonly relays?: number;
  /** server at 45.0.200.2, server2 at 45.0.201.2, … Default 1. */
  readonly servers?: number;
  /** Number of the gateway by which the home routes from the start, without Binder. Default none: see {@link Testbed.homeDefault}. */
  readonly homeDefault?: number;
  /** Whether the nodes have IPv6. Default false: it is off, link-local addresses too. */
  readonly ipv6?: boolean;
  /** TCP settings of all nodes. */
  readonly tcp?: TcpSettings;
  /** TCP settings of single nodes, by name, in place of `tcp`'s. */
  readonly tcpOf?: Readonly<Record<string, TcpSettings>>;
  /** Seed of random loss and jitter. Default from the clock; {@link Testbed.seed} has it. */
  readonly seed?: number;
}

/** What went through one direction of a line. Bytes are those of Ethernet frames. */
export interface LineCounters {
  /** What came to the line. */
  readonly inPackets: number;
  readonly inBytes: number;
  /** What left it at the other end. */
  readonly packets: number;
  readonly bytes: number;
  /** Bytes that wait now. */
  readonly queued: number;
  readonly drops: {
    /** The queue was full. */
    readonly queue: number;
    readonly loss: number;
    readonly mtu: number;
    readonly fragments: number;
    readonly block: number;
    /** The emulator was too slow: a measurement with such drops is worth nothing. */
    readonly missed: number;
    /** Frames that no line carries: cut short, without checksum, refused by the device. Nothing to measure with either. */
    readonly errors: number;
  };
}
