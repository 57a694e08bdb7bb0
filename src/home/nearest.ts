import { type LaneSnapshot, liveLanes } from "./plan.ts";

/** A lane is far whose usual delay is so many times that of the nearest, and this much more (ms). */
const FAR_TIMES = 2.5;
const FAR_MORE = 20;
/** And whose present one is so many times: what queues at the nearest must not be waited for. */
const FAR_NOW = 1.5;
/** What the far lanes bring may be this share of what the nearest was seen to bring: so much more is acknowledged by it than it does anyway. */
const FAR_SHARE = 0.5;

/**
 * The numbers of the lanes whose downloads are acknowledged by way of the nearest lane. Their round trip is shorter then, and MPTCP fills
 * them: it gives every subflow about as much as the quickest holds, counted in time (net/mptcp/protocol.c, mptcp_subflow_get_send), which
 * is less than a far lane's own round trip. On four lanes of 10, 20, 60 and 120 ms, with 192 kB a subflow: 61.8 Mbit/s became 65.6.
 *
 * A line's way up may be thin: no lane is given more to acknowledge than half as much again as it has of its own.
 */
export function farLanes(lanes: readonly LaneSnapshot[]): readonly number[] {
  const [nearest, ...others] = liveLanes(lanes);
  if (nearest?.delay === undefined || nearest.usual === undefined) return [];
  const { delay: now, usual: least } = nearest;
  const far = others.filter(({ delay = 0, usual = 0 }) => usual >= Math.max(FAR_TIMES * least, least + FAR_MORE) && delay >= FAR_NOW * now);
  const brought = far.reduce((all, { most }) => all + most, 0);
  return brought <= FAR_SHARE * nearest.most ? far.map(({ number }) => number).sort((a, b) => a - b) : [];
}

/**
 * Another set of far lanes has to be seen for so long (ms) to be taken, as each change costs a new nft table: while traffic goes by the lanes or
 * none is known, and while they are idle, when a delay is one probe's.
 */
const FAR_STAYS = 2_000;
const FAR_STAYS_IDLE = 60_000;

/** The lanes that are taken for far ones, and since when others were seen (monotonic ms); undefined: they are the ones. */
export interface Far {
  readonly numbers: readonly number[];
  readonly since: number | undefined;
}

/** The far lanes now; `busy`: traffic goes by the lanes. `former` is what they were last; the same object if nothing changed. */
export function farOf(former: Far, now: number, busy: boolean, lanes: readonly LaneSnapshot[]): Far {
  const numbers = farLanes(lanes);
  if (numbers.join() === former.numbers.join()) return former.since === undefined ? former : { ...former, since: undefined };
  if (former.since === undefined) return { ...former, since: now };
  const stays = busy || former.numbers.length === 0 ? FAR_STAYS : FAR_STAYS_IDLE;
  return now - former.since >= stays ? { numbers, since: undefined } : former;
}

/** A lane is the nearest for so long (ms), if it goes on answering: each change costs a program's start. */
const STAYS = 1_000;

/** The lane that is taken for the nearest, and since when (monotonic ms). */
export interface Nearest {
  readonly number: number | undefined;
  readonly at: number;
}

/**
 * The lane that is nearest now: the quickest that answers as it should, as what all others bring is acknowledged by it. `former` is what it was
 * last; the same object if nothing changed.
 */
export function nearestOf(former: Nearest, now: number, lanes: readonly LaneSnapshot[]): Nearest {
  const live = liveLanes(lanes);
  const number = (live.find(({ late }) => !late) ?? live[0])?.number;
  if (number === former.number) return former;
  const isSound = live.some((lane) => lane.number === former.number && !lane.late);
  return isSound && now - former.at < STAYS ? former : { number, at: now };
}
