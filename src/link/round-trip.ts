/** A lane's round trip, estimated as TCP does (RFC 6298, 2.2 and 2.3). Milliseconds. */
export interface RoundTrip {
  readonly smoothed: number;
  readonly variation: number;
}

/** The estimate after one more sample; `estimate` is undefined before the first. */
export function addSample(estimate: RoundTrip | undefined, sample: number): RoundTrip {
  if (estimate === undefined) return { smoothed: sample, variation: sample / 2 };
  return {
    smoothed: estimate.smoothed * 0.875 + sample * 0.125,
    variation: estimate.variation * 0.75 + Math.abs(estimate.smoothed - sample) * 0.25,
  };
}

/** No answer is late before this (ms). */
const LEAST_ANSWER = 60;
/** Nor before this (ms) while the round trip is unknown. */
const UNKNOWN_ANSWER = 1_000;

/** An echo that is not there after this (ms) is late: RFC 6298's time-out without its least second. */
export function lateAfter(roundTrip: RoundTrip | undefined): number {
  if (roundTrip === undefined) return UNKNOWN_ANSWER;
  return Math.max(LEAST_ANSWER, roundTrip.smoothed + 4 * roundTrip.variation);
}
