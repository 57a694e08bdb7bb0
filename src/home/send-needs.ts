import type { SendNeed } from "../plan/tcp-buffers.ts";

/** What went by one lane lately, bytes a second, and how long its answers take while nothing queues, ms. */
export interface LaneLoad {
  readonly down: number;
  readonly up: number;
  readonly roundTrip: number;
}

/** What a subflow should be able to hold at both ends. */
export interface SendNeeds {
  /** From the home, which sends the uploads. */
  readonly home: SendNeed;
  /** From the relay, which sends the downloads. */
  readonly relay: SendNeed;
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
const OF_SLOWEST = 0.32;
/** The other sides have the same buffers: servers that the relay sends uploads to are this far (s), and devices of the LAN this. */
const FAR = 0.45;
const NEAR = 0.075;

/** What the lanes need by what they carry now. */
export function needsOf(lanes: readonly LaneLoad[]): SendNeeds {
  const down = lanes.map(({ down: rate, roundTrip }) => ({ rate, roundTrip }));
  const up = lanes.map(({ up: rate, roundTrip }) => ({ rate, roundTrip }));
  return { home: needOf(up, sum(down) * NEAR), relay: needOf(down, sum(up) * FAR) };
}

interface Way {
  readonly rate: number;
  readonly roundTrip: number;
}

const sum = (ways: readonly Way[]): number => ways.reduce((all, { rate }) => all + rate, 0);

/** `least`: what the other sides need of the same buffers. */
function needOf(all: readonly Way[], least: number): SendNeed {
  const ways = all.filter(({ rate }) => rate > COUNTS * sum(all));
  if (ways.length === 0) return { reserved: Math.round(least), alone: Math.round(least) };
  const longest = Math.max(...ways.map(({ roundTrip }) => roundTrip)) / 1000;
  const own = Math.max(...ways.map(({ rate, roundTrip }) => (rate * roundTrip) / 1000));
  const slowest = Math.min(...ways.map(({ rate }) => rate));
  const joint = (OF_ALL * sum(ways) * longest) / ways.length;
  const reserved = Math.max(least, OF_OWN * own, Math.min(joint, OF_SLOWEST * slowest));
  return { reserved: Math.round(reserved), alone: Math.round(Math.max(least, OF_OWN * own, joint)) };
}
