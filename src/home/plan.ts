import type { Config, GatewaySection } from "../config/types.ts";
import { aliasOf, homeAddress, type Prefix, relayAddress } from "../plan/addresses.ts";
import type { SendLimit } from "../plan/tcp-buffers.ts";

/** A home's place at its relay, as the invite gave it. */
export interface Membership {
  readonly relay: string;
  readonly home: string;
  /** The home's number, 2 to 4094. */
  readonly number: number;
  /** The relay's public addresses, as the configuration has them. */
  readonly addresses: readonly string[];
  readonly port: number;
  readonly lanePrefix: Prefix;
  readonly resolver: string;
}

/** How packets get to a gateway now. */
export interface Way {
  readonly device: string;
  /** IPv4 next hop; undefined: the device has one other end alone. */
  readonly via: string | undefined;
  /** IPv4 addresses that answer DNS by way of it. */
  readonly resolvers: readonly string[];
}

/** A gateway that Binder uses, with its number. */
export interface NumberedGateway {
  readonly number: number;
  readonly section: GatewaySection;
  readonly way: Way;
}

/** What the home's decisions rest on that changes only with the configuration. */
export interface HomePlan {
  readonly config: Config;
  readonly gateways: readonly NumberedGateway[];
  /** At the relay that is used. */
  readonly membership: Membership | undefined;
  /** At all relays that may be used, in the order of their priorities. */
  readonly memberships: readonly Membership[];
  /** The captured LANs' devices. */
  readonly lans: readonly string[];
}

export const aliasOfGateway = (plan: HomePlan, number: number): string => aliasOf(plan.config.main.aliasPrefix, number);
export const serviceAddress = (membership: Membership): string => relayAddress(membership.lanePrefix, 0);
export const stableAddress = (membership: Membership): string => homeAddress(membership.lanePrefix, 0, membership.number);
export const laneAddress = (membership: Membership, lane: number): string => homeAddress(membership.lanePrefix, lane, membership.number);

/** The devices that gateways are behind, each once. */
export const gatewayDevices = (plan: HomePlan): readonly string[] => [...new Set(plan.gateways.map(({ way }) => way.device))];

/** What the home knows at one moment about its lanes and devices. */
export interface HomeObservation {
  /** Names of the network devices that exist and are up. */
  readonly devices: ReadonlySet<string>;
  /** Those of the gateways' devices that filter reverse paths, strictly or loosely. */
  readonly filtering: ReadonlySet<string>;
  /** The machine's memory, bytes. */
  readonly memory: number;
  readonly sendLimit: SendLimit;
  /** The congestion controls that the kernel has loaded. */
  readonly congestion: ReadonlySet<string>;
  readonly lanes: readonly LaneSnapshot[];
  /** The number of the lane that is nearest (nearest.ts); undefined: none carries. */
  readonly nearest: number | undefined;
  /** The numbers of those that are far from it (nearest.ts). */
  readonly far: readonly number[];
  /** Gateways that new flows leave by directly, as no relay answers; empty while one does. */
  readonly direct: readonly number[];
  /** No proxy can run on this machine: TCP crosses as everything else does. Absent: one can. */
  readonly withoutProxy?: boolean;
}

export interface LaneSnapshot {
  readonly number: number;
  /** It carries traffic. */
  readonly live: boolean;
  /** It carries and does not answer as it should. */
  readonly late: boolean;
  /** It loses or delays too much: connections should begin elsewhere. */
  readonly poor: boolean;
  /** Of its device, bytes. */
  readonly mtu: number;
  /** What a subflow of the home's may send at once by it when it begins, packets; 0: what is usual. */
  readonly window: number;
  /** Round trip, ms; undefined until one is measured. */
  readonly delay: number | undefined;
  /** The least round trip lately, ms: while nothing queued. Undefined until one is measured. */
  readonly usual: number | undefined;
  /** The most that it was seen to bring down lately, bit/s; 0: nothing is known. */
  readonly most: number;
}

/** The live lanes, quickest first. */
export function liveLanes(lanes: readonly LaneSnapshot[]): readonly LaneSnapshot[] {
  return lanes
    .filter((lane) => lane.live)
    .sort((a, b) => (a.delay ?? Number.POSITIVE_INFINITY) - (b.delay ?? Number.POSITIVE_INFINITY) || a.number - b.number);
}
