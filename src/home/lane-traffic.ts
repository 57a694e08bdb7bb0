/** Bytes a second out by a lane that are more than its own probes. */
const BUSY = 2_000;
/** A lane that was loaded counts as loaded for so long (ms), until its delay alone is known. */
const BUSY_FOR = 5_000;
/** Two counts nearer to each other than this (seconds) say little of a rate. */
const LEAST_SPAN = 0.05;

/** What the counters of a lane's device tell. Times are monotonic ms, counters bytes. */
export class LaneTraffic {
  #received: number | undefined;
  #sent: number | undefined;
  #counted = 0;
  #busyUntil = 0;

  /** Takes the counters of now; answers whether anything came in since the last. */
  count(now: number, received: number, sent: number): boolean {
    const came = this.#received !== undefined && received > this.#received;
    const span = Math.max(LEAST_SPAN, (now - this.#counted) / 1_000);
    if (this.#sent !== undefined && sent - this.#sent > BUSY * span) this.beBusy(now);
    this.#received = received;
    this.#sent = sent;
    this.#counted = now;
    return came;
  }

  /** From now on it counts as loaded, for a while. */
  beBusy(now: number): void {
    this.#busyUntil = now + BUSY_FOR;
  }

  /** Whether it is loaded, or was lately. */
  isBusy(now: number): boolean {
    return now < this.#busyUntil;
  }
}
