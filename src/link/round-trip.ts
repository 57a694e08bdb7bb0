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

/** The share of probes lost, 0 to 1, over some twenty of the last. */
export function addLoss(loss: number, lost: boolean): number {
  const next = loss * 0.95 + (lost ? 0.05 : 0);
  return next < 0.001 ? 0 : next;
}
