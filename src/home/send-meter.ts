import { Peak } from "./peak.ts";
import { type LaneLoad, needsOf, type SendNeeds } from "./send-needs.ts";

/** With less, bytes a second both ways, nothing is learnt of the lanes. */
const LOAD = 100_000;

interface Count {
  readonly at: number;
  readonly received: number;
  readonly sent: number;
}

/** What is counted of a lane's device at one moment, bytes, and its round trip while nothing queues (ms; Infinity: none is known). */
export interface LaneCount {
  readonly number: number;
  readonly received: number;
  readonly sent: number;
  readonly roundTrip: number;
}

/** Learns from what the lanes carry what the buffers at both ends should hold. */
export class SendMeter {
  readonly #last = new Map<number, Count>();
  readonly #peaks = { home: new Peak(), relay: new Peak() };

  /** Takes the counters of now (monotonic ms); to be called every second or so. */
  count(at: number, lanes: readonly LaneCount[]): void {
    const loads = lanes.flatMap(({ number, received, sent, roundTrip }): LaneLoad[] => {
      const last = this.#last.get(number);
      this.#last.set(number, { at, received, sent });
      if (last === undefined || !Number.isFinite(roundTrip) || at <= last.at || received < last.received || sent < last.sent) return [];
      const per = (bytes: number): number => (bytes * 1000) / (at - last.at);
      return [{ down: per(received - last.received), up: per(sent - last.sent), roundTrip }];
    });
    if (loads.reduce((all, { down, up }) => all + down + up, 0) < LOAD) return;
    const needs = needsOf(loads);
    this.#peaks.home.see(needs.home);
    this.#peaks.relay.see(needs.relay);
  }

  get needs(): SendNeeds {
    return { home: this.#peaks.home.value, relay: this.#peaks.relay.value };
  }
}
