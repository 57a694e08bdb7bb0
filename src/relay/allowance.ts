/** So many at once, and one more every second. */
export class Allowance {
  readonly #most: number;
  #left: number;
  #at: number;

  /** `now`: monotonic ms. */
  constructor(most: number, now: number) {
    this.#most = most;
    this.#left = most;
    this.#at = now;
  }

  /** Whether one more is allowed at `now`; it is taken if so. */
  take(now: number): boolean {
    this.#left = Math.min(this.#most, this.#left + (now - this.#at) / 1000);
    this.#at = now;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
