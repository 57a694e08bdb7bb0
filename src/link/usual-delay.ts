/** The usual delay is the least of this time (ms) and the one before it. */
const PERIOD = 600_000;
/** So many samples must agree that the line is slower than usual. */
const RECENT = 3;
/** Slower than usual (ms) is: this much more, and so many times as much. */
const SLOW_MORE = 500;
const SLOW_TIMES = 2;
/** A line that was slow is well again when it is no slower than this (ms) above the usual. */
const WELL_MORE = 250;

/**
 * A lane's usual round trip while nothing queues, and whether it is now far above it. Samples of a loaded lane say nothing: a full queue
 * is no fault of the line. Milliseconds.
 */
export class UsualDelay {
  #least = Number.POSITIVE_INFINITY;
  #former = Number.POSITIVE_INFINITY;
  #began = Number.NEGATIVE_INFINITY;
  #recent: readonly number[] = [];
  #last = 0;
  #slow = false;

  /** Takes a sample; `loaded`: the lane carries traffic. */
  add(now: number, sample: number, loaded: boolean): void {
    // What is slow now must not become usual by lasting.
    if (!this.#slow && now - this.#began >= PERIOD) {
      this.#former = this.#began === Number.NEGATIVE_INFINITY ? Number.POSITIVE_INFINITY : this.#least;
      this.#least = Number.POSITIVE_INFINITY;
      this.#began = now;
    }
    this.#least = Math.min(this.#least, sample);
    this.#last = sample;
    if (loaded) {
      this.#recent = [];
      return;
    }
    this.#recent = [...this.#recent, sample].slice(-RECENT);
    const now3 = Math.min(...this.#recent);
    if (this.#slow) this.#slow = this.#recent.length < RECENT || now3 > this.usual + WELL_MORE;
    else this.#slow = this.#recent.length === RECENT && this.#isFarAbove(now3);
  }

  get usual(): number {
    return Math.min(this.#least, this.#former);
  }

  get slow(): boolean {
    return this.#slow;
  }

  /** Whether the last sample alone, loaded or not, is as far above the usual. */
  get late(): boolean {
    return this.#isFarAbove(this.#last);
  }

  /** The least of the last samples, for a person. */
  get present(): number {
    return Math.min(...(this.#recent.length === 0 ? [this.#last] : this.#recent));
  }

  #isFarAbove(sample: number): boolean {
    return sample > Math.max(this.usual + SLOW_MORE, this.usual * SLOW_TIMES);
  }
}
