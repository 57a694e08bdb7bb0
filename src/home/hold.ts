/** How unsteady a lane has been: it grows with each fall and shrinks while the lane is well. Whole number, from 0 on. */
export type Flaps = number;

/** The first hold (ms): some probes must come back before a lane is trusted again. It doubles with each flap. */
const FIRST_HOLD = 100;
const LONGEST_HOLD = 120_000;
/** A lane that was well for so long (ms) is forgiven one flap. */
const FORGIVEN_AFTER = 6_000;
/** Enough for the longest hold. */
const MOST_FLAPS = 12;

/** How long a lane that answers again is watched before it carries, ms. */
export function holdTime(flaps: Flaps): number {
  return Math.min(LONGEST_HOLD, FIRST_HOLD * 2 ** Math.max(0, flaps - 1));
}

/** After a fall of a lane that had been well for `well` ms. */
export function flapped(flaps: Flaps, well: number): Flaps {
  return Math.min(MOST_FLAPS, steady(flaps, well) + 1);
}

/** What is left after `well` ms without a fall. */
export function steady(flaps: Flaps, well: number): Flaps {
  return Math.max(0, flaps - Math.floor(well / FORGIVEN_AFTER));
}
