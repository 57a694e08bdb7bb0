import type { GatewayStateName } from "../control/types.ts";
import type { RoundTrip } from "../link/round-trip.ts";

/** What a gateway is known to be, since when (monotonic ms), and why. */
export interface Health {
  readonly state: GatewayStateName;
  readonly since: number;
  readonly reason: string;
}

/** What a lane shows at one moment. Times are monotonic milliseconds. */
export interface LaneObservation {
  readonly now: number;
  /** The last moment that anything came in by the lane; undefined: never. */
  readonly lastHeard: number | undefined;
  /** When the oldest probe was sent that nothing has come in after; undefined: none is open. */
  readonly unansweredSince: number | undefined;
  /** Probes sent since anything came in. */
  readonly unanswered: number;
  readonly roundTrip: RoundTrip | undefined;
  /** A full-size probe has come back since the lane was last down. */
  readonly fullSizePasses: boolean;
  /** What is wrong with the tunnel or the way to the gateway, if that is known; otherwise empty. */
  readonly complaint: string;
}

/** No round trip is believed to be shorter than this (ms): schedulers and radios have pauses of their own. */
const LEAST_SILENCE = 150;
/** Silence after which a lane whose round trip is still unknown is suspect (ms). */
const UNKNOWN_SILENCE = 1_000;
/** So many times the suspicious silence, and this many probes, make a lane down. */
const DOWN_FACTOR = 3;
const DOWN_PROBES = 3;

/** The silence after a probe that makes a lane suspect, ms. */
export function suspiciousSilence(roundTrip: RoundTrip | undefined): number {
  if (roundTrip === undefined) return UNKNOWN_SILENCE;
  return Math.max(LEAST_SILENCE, roundTrip.smoothed + 4 * roundTrip.variation);
}

/** The health after one observation. The same object if nothing changed. */
export function nextHealth(health: Health, seen: LaneObservation): Health {
  const silence = seen.unansweredSince === undefined ? 0 : seen.now - seen.unansweredSince;
  const limit = suspiciousSilence(seen.roundTrip);
  const dead = silence > limit * DOWN_FACTOR && seen.unanswered >= DOWN_PROBES;
  const to = (state: GatewayStateName, reason: string): Health =>
    state === health.state && reason === health.reason
      ? health
      : { state, reason, since: state === health.state ? health.since : seen.now };
  switch (health.state) {
    case "disabled":
    case "standby":
      return health;
    case "starting":
    case "down":
    case "holding": {
      const alive = seen.lastHeard !== undefined && seen.lastHeard > health.since && seen.unanswered < DOWN_PROBES;
      if (alive && seen.fullSizePasses) return to("up", "");
      if (alive) return to(health.state, "finding the largest packet that passes");
      const why = seen.complaint || (silence > limit ? "the relay does not answer through this gateway" : health.reason);
      return to(health.state, why || "connecting");
    }
    case "up":
      return silence > limit ? to("suspect", `no answer for ${Math.round(silence)} ms`) : to("up", "");
    case "suspect":
      if (silence <= limit) return to("up", "");
      return dead ? to("down", seen.complaint || "the relay does not answer through this gateway") : health;
  }
}

/** Lanes in these states carry traffic. */
export function carries(state: GatewayStateName): boolean {
  return state === "up" || state === "suspect";
}

/** How long until the next probe, ms after the last. `loaded`: traffic went out lately. */
export function probeInterval(state: GatewayStateName, loaded: boolean, roundTrip: RoundTrip | undefined): number {
  switch (state) {
    case "up":
      return loaded ? 500 : 15_000;
    case "suspect":
      return Math.max(100, Math.min(1_000, suspiciousSilence(roundTrip) / 2));
    case "starting":
    case "holding":
      return 500;
    case "down":
      return 1_000;
    case "disabled":
    case "standby":
      return 15_000;
  }
}
