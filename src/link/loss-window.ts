interface Outcome {
  readonly counter: number;
  readonly sent: number;
  counts: boolean;
  state: "open" | "answered" | "lost";
}

const KEPT = 20;
/** So many of the last twenty lost, over at least this time (ms): no single burst, a line that loses. */
const LOSSY = 4;
const LOSSY_SPAN = 700;
/** A line that lost is well again when so many probes were judged and no more than this many of them lost. */
const CLEAN_JUDGED = 19;
const CLEAN = 1;

/** What became of a lane's last twenty probes. Times are monotonic milliseconds. */
export class LossWindow {
  readonly #outcomes: Outcome[] = [];
  #lossy = false;

  /** `counts`: that it stays away would say something of the line; of one that may be too large, or in an outage, it doesn't. */
  sent(counter: number, now: number, counts: boolean): void {
    this.#outcomes.push({ counter, sent: now, counts, state: "open" });
    // Those that are open are not judged yet, but a line that answers nothing must not be remembered for ever.
    if (this.#outcomes.length > 2 * KEPT) this.#outcomes.shift();
  }

  /** An echo came. Answers when its probe was sent; undefined if it is not known, or was answered before. */
  answered(counter: number): number | undefined {
    const outcome = this.#outcomes.find((one) => one.counter === counter && one.state !== "answered");
    if (outcome === undefined) return undefined;
    outcome.state = "answered";
    this.#judge();
    return outcome.sent;
  }

  /** Whoever was sent before `before` and is not answered is lost, unless its echo comes after all. */
  judge(before: number): void {
    for (const outcome of this.#outcomes) {
      if (outcome.counts && outcome.state === "open" && outcome.sent < before) outcome.state = "lost";
    }
    this.#judge();
  }

  /** Share of the last probes that was lost, 0 to 1. */
  get share(): number {
    const judged = this.#judged;
    return judged.length === 0 ? 0 : judged.filter(({ state }) => state === "lost").length / judged.length;
  }

  /** Whether the line loses so much that it would drag the others. */
  get lossy(): boolean {
    return this.#lossy;
  }

  /** What is not answered yet does not count: an outage is no loss of the line that comes back. */
  excuse(): void {
    for (const outcome of this.#outcomes) if (outcome.state === "open") outcome.counts = false;
  }

  get #judged(): readonly Outcome[] {
    return this.#outcomes.filter(({ state }) => state !== "open").slice(-KEPT);
  }

  #judge(): void {
    const judged = this.#judged;
    const lost = judged.filter(({ state }) => state === "lost");
    const span = (lost.at(-1)?.sent ?? 0) - (lost[0]?.sent ?? 0);
    if (this.#lossy) this.#lossy = judged.length < CLEAN_JUDGED || lost.length > CLEAN;
    else this.#lossy = lost.length >= LOSSY && span >= LOSSY_SPAN;
  }
}
