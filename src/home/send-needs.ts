import type { SendNeed } from "../plan/tcp-buffers.ts";

/** What went by one lane lately one way, bytes a second, and how long its answers take while nothing queues, ms. */
export interface WayLoad {
  readonly rate: number;
  /** The same over some seconds: what comes by a slow line comes in bursts. */
  readonly steady: number;
  readonly roundTrip: number;
}

/** What decides the need of one end, bytes. */
export interface NeedParts {
  /** At least this, whatever else. */
  readonly least: number;
  /** What all lanes bring together asks for. */
  readonly joint: number;
  /** With a reserve no more than this is held, as the slowest lane would be too long about it; Infinity: it is not known. */
  readonly patience: number;
}

/** Lanes that carry less than this share wait for nobody. */
const COUNTS = 0.02;
/**
 * A connection holds what all its lanes bring during the longest round trip, and what the kernel counts beside it: what the slow lanes
 * bring late is waited for by all that follow. Without a reserve its subflows hold it together.
 */
const OF_ALL = 1.6;
/** A subflow holds what is on its own way, what the kernel counts beside it, and a little to look for more. */
const OF_OWN = 1.5;
/**
 * With a reserve a subflow holds no more than the slowest lane takes so long (s) for: when that lane is all that is left, what was lost
 * with the others waits behind it, and more than once, as the kernel sends again also what had arrived.
 */
const OF_SLOWEST = 0.19;
/** The other sides have the same buffers: servers that the relay sends uploads to are this far (s), and devices of the LAN this. */
const FAR = 0.45;
/** What only acknowledges what comes the other way takes this share of it at the most, and needs none of that. */
const ACKNOWLEDGES = 0.06;
const NEAR = 0.075;

/** What the lanes need by what they carry now. */
export function needsOf(down: readonly WayLoad[], up: readonly WayLoad[]): { readonly home: NeedParts; readonly relay: NeedParts } {
  const data = (one: readonly WayLoad[], other: readonly WayLoad[]): number => Math.max(0, sum(one) - ACKNOWLEDGES * sum(other));
  return { home: partsOf(up, data(down, up) * NEAR), relay: partsOf(down, data(up, down) * FAR) };
}

/** What a subflow should be able to hold. */
export function needOf({ least, joint, patience }: NeedParts): SendNeed {
  return { reserved: Math.round(Math.max(least, Math.min(joint, patience))), alone: Math.round(Math.max(least, joint)) };
}

const sum = (ways: readonly WayLoad[]): number => ways.reduce((all, { rate }) => all + rate, 0);

/** `least`: what the other sides need of the same buffers. */
function partsOf(all: readonly WayLoad[], least: number): NeedParts {
  const ways = all.filter(({ rate }) => rate > COUNTS * sum(all));
  if (ways.length === 0) return { least, joint: 0, patience: Number.POSITIVE_INFINITY };
  const longest = Math.max(...ways.map(({ roundTrip }) => roundTrip)) / 1000;
  const own = Math.max(...ways.map(({ rate, roundTrip }) => (rate * roundTrip) / 1000));
  const slowest = Math.min(...ways.map(({ steady }) => steady));
  const joint = (OF_ALL * sum(ways) * longest) / ways.length;
  return { least: Math.max(least, OF_OWN * own), joint, patience: OF_SLOWEST * slowest };
}
