/** Share, and ms on top, that a delay must change by before anybody acts on it. */
const SHARE = 0.25;
const MS = 5;

/**
 * The delay (ms) by which lanes are ordered: the former one until the measured one differs clearly, so that lanes of like delay don't
 * change places, and with them routes, again and again.
 */
export function steadyDelay(former: number | undefined, measured: number | undefined): number | undefined {
  if (former === undefined || measured === undefined) return measured;
  return Math.abs(measured - former) > former * SHARE + MS ? measured : former;
}
