import { type Point, rateBetween } from "../../test/net/timeline.ts";

/** A download around its fault: from a second before it on, Mbit/s of each 50 ms. */
export type Curve = readonly number[];

/** Of a curve, ms. */
export const CURVE_FROM = -1_000;
export const CURVE_STEP = 50;

/** The curve of a download whose moments are relative to its fault (ms). */
export function curveOf(points: readonly Point[]): Curve {
  const end = points.at(-1)?.at ?? 0;
  const curve: number[] = [];
  for (let at = CURVE_FROM; at + CURVE_STEP <= end; at += CURVE_STEP) curve.push(round(rateBetween(points, at, at + CURVE_STEP) / 1e6));
  return curve;
}

const round = (value: number): number => Math.round(value * 10) / 10;
