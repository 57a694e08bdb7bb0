import type { SendNeed } from "../plan/tcp-buffers.ts";
import type { Rates } from "./counters.ts";
import { Peak } from "./peak.ts";
import { type LaneLoad, needsOf, type SendNeeds } from "./send-needs.ts";

/** With less, bytes a second both ways, nothing is learnt of the lanes. */
const LOAD = 100_000;

/** What went by a lane in the last second or so, if that is known, and its round trip while nothing queues (ms; Infinity: none is known). */
export interface LaneCarriage {
  readonly rates: Rates | undefined;
  readonly roundTrip: number;
}

class PeakNeed {
  readonly #reserved = new Peak();
  readonly #alone = new Peak();

  see({ reserved, alone }: SendNeed): void {
    this.#reserved.see(reserved);
    this.#alone.see(alone);
  }

  get value(): SendNeed {
    return { reserved: this.#reserved.value, alone: this.#alone.value };
  }
}

/** Learns from what the lanes carry what the buffers at both ends should hold. */
export class SendMeter {
  readonly #peaks = { home: new PeakNeed(), relay: new PeakNeed() };

  /** Takes what the lanes carry now; to be called every second or so. */
  see(lanes: readonly LaneCarriage[]): void {
    const loads = lanes.flatMap(({ rates, roundTrip }): LaneLoad[] =>
      rates === undefined || !Number.isFinite(roundTrip) ? [] : [{ down: rates.down / 8, up: rates.up / 8, roundTrip }],
    );
    if (loads.reduce((all, { down, up }) => all + down + up, 0) < LOAD) return;
    const needs = needsOf(loads);
    this.#peaks.home.see(needs.home);
    this.#peaks.relay.see(needs.relay);
  }

  get needs(): SendNeeds {
    return { home: this.#peaks.home.value, relay: this.#peaks.relay.value };
  }
}
