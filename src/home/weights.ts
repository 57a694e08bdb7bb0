import type { LaneWeights } from "../proxy/weights.ts";
import { type LaneSnapshot, liveLanes } from "./plan.ts";

const MOST = 256;
const SOME = 1;
/** A lane this much slower than the quickest (share, and ms on top) is as good a start for a connection. */
const NEAR_SHARE = 1.25;
const NEAR_MS = 5;

/**
 * How often a connection's first subflow starts on each lane. Where it starts decides the first byte's delay (85 or 246 ms, measured),
 * so nearly all start on the quickest lanes; the others get the rest that shows they work. Connections that start on an `unfit` lane
 * could use no other: none do while there is another.
 */
export function firstSubflowWeights(lanes: readonly LaneSnapshot[], unfit: ReadonlySet<number> = new Set()): LaneWeights {
  const all = liveLanes(lanes);
  const fit = all.filter(({ number }) => !unfit.has(number));
  const live = fit.length === 0 ? all : fit;
  const best = live[0]?.delay ?? 0;
  return new Map(live.map(({ number, delay }) => [number, (delay ?? best) <= best * NEAR_SHARE + NEAR_MS ? MOST : SOME]));
}
