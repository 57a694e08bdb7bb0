/** Bytes a second out by a lane that make it loaded. */
const BUSY = 2_000;
/** A lane that was loaded counts as loaded for so long (ms), until its delay alone is known. */
const BUSY_FOR = 5_000;
/** A rate is taken over at least this time (ms). */
const SPAN = 250;
/** Bytes a second in by a lane from which on a pause tells something, and how long a pause (ms). */
const FLOWING = 50_000;
const PAUSE = 40;

/** What the counters of a lane's device tell. Times are monotonic ms, counters bytes. */
export class LaneTraffic {
  #received: number | undefined;
  #sent = 0;
  #mark = { at: Number.NEGATIVE_INFINITY, sent: 0, received: 0 };
  #flows = false;
  #cameAt = Number.NEGATIVE_INFINITY;
  #busyUntil = Number.NEGATIVE_INFINITY;
  #asked = false;

  /**
   * Takes the counters of now; `own` is what of `sent` were probes. Answers whether anything came in since the last.
   */
  count(now: number, received: number, sent: number, own: number): boolean {
    const foreign = sent - own;
    if (this.#received === undefined || received < this.#received || foreign < this.#sent) {
      // The first count, or another device of the same name.
      this.#mark = { at: now, sent: foreign, received };
      this.#received = received;
      this.#sent = foreign;
      this.#asked = false;
      this.#flows = false;
      return false;
    }
    const came = received > this.#received;
    // Between two counts a probe may have been counted here and not there yet: it is no more than a hundred bytes.
    this.#asked = !came && (this.#asked || foreign > this.#sent);
    if (came) this.#cameAt = now;
    if (now - this.#mark.at >= SPAN) {
      const per = (bytes: number): number => (bytes * 1_000) / (now - this.#mark.at);
      if (per(foreign - this.#mark.sent) > BUSY) this.beBusy(now);
      // A pause ends a span with little in it: what flowed before it counts.
      if (came) this.#flows = per(received - this.#mark.received) > FLOWING;
      this.#mark = { at: now, sent: foreign, received };
    }
    this.#received = received;
    this.#sent = foreign;
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

  /** How long nothing has come in, if much did before, ms; undefined: little did. */
  pausedFor(now: number): number | undefined {
    return this.#flows ? now - this.#cameAt : undefined;
  }

  /** Whether much came in and has stopped: it should be asked at once whether it lives. */
  pauses(now: number): boolean {
    return (this.pausedFor(now) ?? 0) > PAUSE;
  }

  /** Whether somebody sent by the lane and nothing has come in since: it should be asked whether it lives. */
  get asked(): boolean {
    return this.#asked;
  }
}
