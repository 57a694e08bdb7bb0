/** Which of its relays a home uses, by its place in the order of priority, and since when (monotonic ms). */
export interface RelayChoice {
  readonly index: number;
  readonly since: number;
  /** Returns to the first that it did not keep: each makes the next wait twice as long. */
  readonly vain: number;
}

/** What the choice rests on. */
export interface RelayObservation {
  /** Monotonic ms. */
  readonly now: number;
  /** How many relays there are to choose from. */
  readonly count: number;
  /** How long (ms) nothing has come in by any lane though it was asked; 0 while anything does. */
  readonly silence: number;
  /** Some relay's machine was reached by some gateway during the silence: so the lines are well, and it is the relay that is not. */
  readonly reached: boolean;
  /** The machine of the relay of the first priority was reached lately. */
  readonly firstReached: boolean;
  /** Nobody uses the lanes now. */
  readonly idle: boolean;
}

/** Silence (ms) after which a relay whose lines are well is given up. */
const RELAY_SILENT = 1_000;
/** Silence (ms) after which the next is tried though nothing can be reached: machines may leave pings unanswered. */
const ALL_SILENT = 6_000;
/** A relay is given this long (ms) to answer at first: OpenVPN's handshake takes some round trips. */
const FIRST_ANSWER = 3_000;
/** A relay of a lower priority is left for the first after this long (ms), when nobody is disturbed. */
const BACK_AFTER = 600_000;
const BACK_AFTER_MOST = 86_400_000;
/** A relay that is left sooner after it was chosen (ms) was not worth returning to. */
const KEPT = 60_000;

/** The choice after one observation; the same object if it stays. */
export function nextRelay(choice: RelayChoice, seen: RelayObservation): RelayChoice {
  const { now, count, silence } = seen;
  if (count === 0) return choice;
  if (choice.index >= count) return { ...choice, index: 0, since: now };
  if (count === 1) return choice;
  const lasted = now - choice.since;
  const vain = choice.index > 0 ? choice.vain : lasted < KEPT ? choice.vain + 1 : 0;
  const next: RelayChoice = { index: (choice.index + 1) % count, since: now, vain };
  if (silence >= RELAY_SILENT && seen.reached && lasted >= FIRST_ANSWER) return next;
  if (silence >= ALL_SILENT && lasted >= ALL_SILENT) return next;
  const patience = Math.min(BACK_AFTER_MOST, BACK_AFTER * 2 ** choice.vain);
  if (choice.index > 0 && silence === 0 && lasted >= patience && seen.firstReached && seen.idle) return { ...choice, index: 0, since: now };
  return choice;
}
