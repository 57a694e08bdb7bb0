/** How long to wait before another try, growing with each failure. */
export interface BackOffOptions {
  /** Milliseconds before the second try. Default 250. */
  readonly first?: number;
  /** Milliseconds at the most. Default 30 000. */
  readonly most?: number;
}

/**
 * Exponential back-off with jitter: before try `failures + 1`, somewhere between half and the whole of `first * 2^(failures-1)`,
 * never over `most`. `random` is 0 to 1.
 */
export function backOff(failures: number, random: number, options: BackOffOptions = {}): number {
  const { first = 250, most = 30_000 } = options;
  if (failures <= 0) return 0;
  const whole = Math.min(most, first * 2 ** Math.min(failures - 1, 30));
  return whole * (0.5 + random / 2);
}
