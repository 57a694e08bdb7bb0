import type { SendNeed } from "../plan/tcp-buffers.ts";
import type { Rates } from "./counters.ts";
import { Peak } from "./peak.ts";
import { needOf, type NeedParts, needsOf, type WayLoad } from "./send-needs.ts";

/** With less, bytes a second both ways, nothing is learnt of the lanes. */
const LOAD = 100_000;
/** After so many looks in a row what went by over some seconds was carried under load. */
const STEADY_AFTER = 4;

/** What went by a lane in the last second or so, if that is known, and how long its answers take. */
export interface LaneCarriage {
  readonly rates: Rates | undefined;
  /** Over some seconds. */
  readonly steady: Rates;
  /** While nothing queues, ms; Infinity: it is not known. */
  readonly roundTrip: number;
  /** The same of what comes down and may be acknowledged by another lane. */
  readonly downRoundTrip: number;
}

/** What a subflow should be able to hold at both ends. */
export interface SendNeeds {
  /** From the home, which sends the uploads. */
  readonly home: SendNeed;
  /** From the relay, which sends the downloads. */
  readonly relay: SendNeed;
}

class PeakNeed {
  readonly #least = new Peak();
  readonly #joint = new Peak();
  readonly #patience = new Peak();

  see({ least, joint, patience }: NeedParts): void {
    this.#least.see(least);
    this.#joint.see(joint);
    if (Number.isFinite(patience)) this.#patience.see(patience);
  }

  /** Patience has no room to grow: a limit that jumps with each burst of a slow line would lengthen every stall. */
  get value(): SendNeed {
    return needOf({ least: this.#least.value, joint: this.#joint.value, patience: this.#patience.most || Number.POSITIVE_INFINITY });
  }
}

/** Learns from what the lanes carry what the buffers at both ends should hold. */
export class SendMeter {
  #looks = 0;
  readonly #peaks = { home: new PeakNeed(), relay: new PeakNeed() };

  /** Takes what the lanes carry now; to be called every second or so. */
  see(lanes: readonly LaneCarriage[]): void {
    const known = lanes.flatMap(({ rates, ...rest }) =>
      rates === undefined || !Number.isFinite(rest.roundTrip) ? [] : [{ ...rest, rates }],
    );
    const loaded = known.reduce((all, { rates }) => all + rates.down + rates.up, 0) >= 8 * LOAD;
    this.#looks = loaded ? this.#looks + 1 : 0;
    if (!loaded) return;
    const isSteady = this.#looks >= STEADY_AFTER;
    const down = known.map(
      ({ rates, steady, downRoundTrip }): WayLoad => ({
        rate: rates.down / 8,
        steady: isSteady ? steady.down / 8 : Number.POSITIVE_INFINITY,
        roundTrip: downRoundTrip,
      }),
    );
    const up = known.map(
      ({ rates, steady, roundTrip }): WayLoad => ({
        rate: rates.up / 8,
        steady: isSteady ? steady.up / 8 : Number.POSITIVE_INFINITY,
        roundTrip,
      }),
    );
    const needs = needsOf(down, up);
    this.#peaks.home.see(needs.home);
    this.#peaks.relay.see(needs.relay);
  }

  get needs(): SendNeeds {
    return { home: this.#peaks.home.value, relay: this.#peaks.relay.value };
  }
}
