import type { GatewayStateName } from "../control/types.ts";
import { lateAfter, type RoundTrip } from "../link/round-trip.ts";
import { type Flaps, flapped, holdTime, steady } from "./hold.ts";

/** What a gateway is known to be, since when (monotonic ms), and why. */
export interface Health {
  readonly state: GatewayStateName;
  readonly since: number;
  readonly reason: string;
  readonly flaps: Flaps;
}

/** What a lane shows at one moment. Times are monotonic milliseconds. */
export interface LaneObservation {
  readonly now: number;
  /** Whether it is to carry when it is well; otherwise it stands by. */
  readonly wanted: boolean;
  /** The last moment that anything came in by the lane; undefined: never. */
  readonly lastHeard: number | undefined;
  /** When the oldest probe was sent that nothing has come in after; undefined: none is open. */
  readonly unansweredSince: number | undefined;
  /** Probes sent since anything came in. */
  readonly unanswered: number;
  /** When the oldest probe was sent that no echo has come after, whatever else came; undefined: none is open. */
  readonly unechoedSince: number | undefined;
  /** How long nothing has come in by a lane by which much came, ms; undefined: little came. */
  readonly pausedFor: number | undefined;
  readonly roundTrip: RoundTrip | undefined;
  /** A full-size probe has come back since the lane was last down. */
  readonly fullSizePasses: boolean;
  /** Why it would drag the others though it answers (loss, delay), for a person; empty if it would not. */
  readonly poor: string;
  /** Since when that is so; undefined: it is not. */
  readonly poorSince: number | undefined;
  /** Some connection is known to have no other lane yet: looked at while the lane is poor, or late. */
  readonly dependedOn: boolean;
  /** How late this machine does what is due, ms: so much of a silence may be its own. */
  readonly lateness: number;
  /** Another lane has fallen just now: what falls together has one cause. */
  readonly anotherFell: boolean;
  /** The last moment that another lane that carries was heard; undefined: no other carries. */
  readonly othersHeard: number | undefined;
  /** Why nothing can leave by its interface; empty if it can. */
  readonly cutOff: string;
  /** What is wrong with the tunnel or the way to the gateway, if that is known; otherwise empty. */
  readonly complaint: string;
}

/** No round trip is believed to be shorter than this (ms): schedulers and radios have pauses of their own. */
const LEAST_SILENCE = 150;
/** When another lane has fallen, this share of a silence is enough: what fell with it is taken away with it, and not a moment later. */
const TOGETHER = 0.75;
/** A busy lane that falls silent is asked within this time (ms). */
const SOON = 60;
/**
 * So many probes without an answer make a lane suspect that some connection has alone, as that ends with it. Of a line that loses three of ten
 * packets each way half of all probes bring no echo, and a connection that waits for its own timer brings no bytes.
 */
const SURE_PROBES = 12;
/** So many times the suspicious silence, and this many probes, make a lane down. */
const DOWN_FACTOR = 3;
const DOWN_PROBES = 3;
/** A lane that was heard this lately (ms) speaks: what is under way by a longer one may come in some time after all fell silent. */
const SPEAKS = 100;
/** A silence of all lanes at once has one cause, and taking them from the connections would not help: it is waited for so long (ms). */
const COMMON_SILENCE = 3_000;
/** A lane that is poor goes on for so long (ms): connections that have just begun there are joined by other lanes meanwhile, and new ones begin elsewhere. */
const LEAVE_TO_JOIN = 500;
/** And while some connection has no other lane, at most so long (ms): to lose it would end what cannot be joined yet. */
const LEAVE_DEPENDANTS = 4_000;
/** Bytes come in but no echo does, for so many times the usual delay, or so long (ms): nothing gets out. */
const DEAF_FACTOR = 4;
const DEAF_LEAST = 1_000;

/** The silence that makes a lane suspect, ms. */
export function suspiciousSilence({ roundTrip, lateness }: Pick<LaneObservation, "roundTrip" | "lateness">): number {
  return Math.max(LEAST_SILENCE, lateAfter(roundTrip)) + lateness;
}

/**
 * How long the lane has been silent though it was asked, ms. A lane that was busy is silent from the last byte on, one that was idle
 * from the probe on.
 */
export function silenceOf({ now, lastHeard, unansweredSince }: LaneObservation): number {
  if (unansweredSince === undefined) return 0;
  return now - Math.max(lastHeard ?? Number.NEGATIVE_INFINITY, unansweredSince - SOON);
}

const agedFrom = (now: number, since: number | undefined): number => (since === undefined ? 0 : now - since);

/** Whether a lane that is poor has been left to those that have just begun there for long enough. */
function mayLeave({ now, poorSince, dependedOn }: LaneObservation): boolean {
  return agedFrom(now, poorSince) >= (dependedOn ? LEAVE_DEPENDANTS : LEAVE_TO_JOIN);
}

/** Whether so many probes brought no answer that a line which loses some would have let one of them pass. */
const isSure = ({ dependedOn, unanswered }: LaneObservation): boolean => !dependedOn || unanswered >= SURE_PROBES;

/** Whether the lane does not answer, which may be for one cause with the others. */
function isSilent(seen: LaneObservation): boolean {
  const share = seen.anotherFell ? TOGETHER : 1;
  const late = share * (lateAfter(seen.roundTrip) + seen.lateness);
  if (silenceOf(seen) > share * suspiciousSilence(seen) && agedFrom(seen.now, seen.unansweredSince) >= late) return true;
  return hasStopped(seen, share) && agedFrom(seen.now, seen.unechoedSince) >= late;
}

/**
 * Whether much came in and nothing does any more: for a round trip, which what is under way already fills. A probe that was under way
 * too, and is late, then tells the same as one that is sent now, a round trip earlier.
 */
function hasStopped({ pausedFor, roundTrip, lateness }: LaneObservation, share: number): boolean {
  if (pausedFor === undefined || roundTrip === undefined) return false;
  return pausedFor > share * (Math.max(LEAST_SILENCE, roundTrip.smoothed) + lateness);
}

/** Whether bytes come in and no probe of ours arrives at the relay, or none of its echoes here. */
function isDeaf(seen: LaneObservation): boolean {
  return agedFrom(seen.now, seen.unechoedSince) > Math.max(DEAF_LEAST, DEAF_FACTOR * lateAfter(seen.roundTrip));
}

function isDead(seen: LaneObservation): boolean {
  return silenceOf(seen) > suspiciousSilence(seen) * DOWN_FACTOR && seen.unanswered >= DOWN_PROBES;
}

const STANDS_BY = "it works, and waits until it is needed";
const NO_ANSWER = "the relay does not answer through this gateway";

/** The health after one observation. The same object if nothing changed. */
export function nextHealth(health: Health, seen: LaneObservation): Health {
  const to = (state: GatewayStateName, reason: string, flaps = health.flaps): Health =>
    state === health.state && reason === health.reason && flaps === health.flaps
      ? health
      : { state, reason, flaps, since: state === health.state ? health.since : seen.now };
  const alone = seen.othersHeard === undefined;
  const well = (): Health => (seen.wanted ? to("up", "") : to("standby", STANDS_BY));
  const fall = (state: "suspect" | "down" | "holding", reason: string): Health =>
    to(state, reason, flapped(health.flaps, seen.now - health.since));
  if (seen.cutOff !== "") {
    switch (health.state) {
      case "disabled":
        return health;
      case "starting":
      case "down":
        return to(health.state, seen.cutOff);
      case "up":
      case "standby":
        return fall("down", seen.cutOff);
      case "suspect":
      case "holding":
        return to("down", seen.cutOff);
    }
  }
  switch (health.state) {
    case "disabled":
      return health;
    case "starting":
    case "suspect":
    case "down": {
      const heard = seen.lastHeard !== undefined && seen.lastHeard > health.since && !isSilent(seen);
      if (heard && !seen.fullSizePasses) return to(health.state, "finding the largest packet that passes");
      if (heard && health.state === "starting" && seen.poor === "") return well();
      if (heard) return to("holding", seen.poor || "it answers again");
      if (health.state === "suspect") return isDead(seen) ? to("down", seen.complaint || NO_ANSWER) : health;
      const why = seen.complaint || (isSilent(seen) ? NO_ANSWER : health.reason);
      return to(health.state, why || "connecting");
    }
    case "holding": {
      // A line that loses much is silent for a moment now and then: that makes it no more dead than it is trusted.
      if (isDead(seen) || isDeaf(seen)) return to("down", seen.complaint || NO_ANSWER);
      // A poor gateway is better than none.
      if (alone && seen.wanted) return well();
      if (seen.poor !== "") return to("holding", seen.poor);
      return seen.now - health.since >= holdTime(health.flaps) && !isSilent(seen) ? well() : to("holding", "it answers again");
    }
    case "up":
    case "standby": {
      // Silence is this lane's own fault if another one still speaks.
      const own = seen.othersHeard !== undefined && seen.othersHeard > seen.now - SPEAKS;
      if (isSilent(seen) && isSure(seen) && (own || health.state === "standby"))
        return fall("suspect", `no answer for ${Math.round(silenceOf(seen))} ms`);
      if (isSilent(seen) && isDead(seen) && silenceOf(seen) > COMMON_SILENCE) return fall("down", seen.complaint || NO_ANSWER);
      if (isDeaf(seen) && !alone) return fall("suspect", "nothing that is sent through this gateway arrives");
      if (seen.poor !== "" && !alone && mayLeave(seen)) return fall("holding", seen.poor);
      const settled = steady(health.flaps, seen.now - health.since);
      return (health.state === "up") === seen.wanted ? to(health.state, seen.wanted ? "" : STANDS_BY, settled) : well();
    }
  }
}

/** Lanes in this state carry traffic. */
export function carries(state: GatewayStateName): boolean {
  return state === "up";
}

/** What decides how often a lane is probed. */
export interface ProbeNeed {
  readonly state: GatewayStateName;
  /** How long it has been in that state, ms. */
  readonly lasted: number;
  /** Traffic goes by it, or did lately. */
  readonly loaded: boolean;
  /** A probe of another lane should have been answered by now, or somebody sent by it and nothing has come in since. */
  readonly doubtful: boolean;
  /** A probe of its own should have been answered by now, or much came in and has stopped. */
  readonly late: boolean;
  readonly roundTrip: RoundTrip | undefined;
}

const IDLE = 12_000;
const LOADED = 100;
const DOUBTFUL = 50;
/** One that is late is asked often: with three probes in a silence one of eight of a line that loses was taken for its death. */
const LATE = 15;
const SLOWEST = 5_000;
/** A lane that does not carry is probed at a hundredth of the time that it has been so: at once at first, and cheaply for ever. */
const PATIENCE = 100;

/** How long until the next probe, ms after the last. */
export function probeInterval({ state, lasted, loaded, doubtful, late, roundTrip }: ProbeNeed): number {
  switch (state) {
    case "up":
    case "standby":
      if (late) return Math.min(DOUBTFUL, Math.max(LATE, lateAfter(roundTrip) / 8));
      if (doubtful) return Math.min(LOADED, Math.max(DOUBTFUL, lateAfter(roundTrip) / 4));
      return loaded ? LOADED : IDLE;
    case "starting":
    case "suspect":
    case "down":
    case "holding":
      return Math.max(DOUBTFUL, Math.min(SLOWEST, lasted / PATIENCE));
    case "disabled":
      return IDLE;
  }
}
