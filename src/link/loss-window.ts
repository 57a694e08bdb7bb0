/**
 * What a probe says of the line: everything; nothing if it stays away, as it may be too large, or meets an outage; or nothing at all, as
 * another was sent in the same moment.
 */
export type ProbeKind = "counted" | "excused" | "extra";

interface Outcome {
  readonly counter: number;
  readonly sent: number;
  kind: ProbeKind;
  state: "open" | "answered" | "lost";
}

const KEPT = 20;
/** Up to three extra ones come between two that count. */
const REMEMBERED = 4 * KEPT;
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

  sent(counter: number, now: number, kind: ProbeKind): void {
    this.#outcomes.push({ counter, sent: now, kind, state: "open" });
    // Those that are open are not judged yet, but a line that answers nothing must not be remembered for ever.
    if (this.#outcomes.length > REMEMBERED) this.#outcomes.shift();
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
      if (outcome.kind === "counted" && outcome.state === "open" && outcome.sent < before) outcome.state = "lost";
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
    for (const outcome of this.#outcomes) if (outcome.state === "open" && outcome.kind === "counted") outcome.kind = "excused";
  }

  get #judged(): readonly Outcome[] {
    return this.#outcomes.filter(({ state, kind }) => state !== "open" && kind !== "extra").slice(-KEPT);
  }

  #judge(): void {
    const judged = this.#judged;
    const lost = judged.filter(({ state }) => state === "lost");
    const span = (lost.at(-1)?.sent ?? 0) - (lost[0]?.sent ?? 0);
    if (this.#lossy) this.#lossy = judged.length < CLEAN_JUDGED || lost.length > CLEAN;
    else this.#lossy = lost.length >= LOSSY && span >= LOSSY_SPAN;
  }
}
