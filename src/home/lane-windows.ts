import { firstWindow } from "../plan/first-window.ts";
import type { LaneCarriage } from "./send-meter.ts";
import { Peak } from "./peak.ts";

/** With less, bits a second, nothing is learnt of a direction. */
const LOAD = 800_000;

/** What a lane was seen to carry in a round trip, and so what a subflow may send at once by it when it begins. */
export class LaneWindows {
  readonly #down = new Peak();
  readonly #up = new Peak();
  readonly #rate = new Peak();

  /** Takes what it carries now; to be called every second or so. */
  see({ rates, roundTrip }: Pick<LaneCarriage, "rates" | "roundTrip">): void {
    if (rates === undefined || !Number.isFinite(roundTrip)) return;
    const bytes = (rate: number): number => (rate / 8) * (roundTrip / 1000);
    if (rates.down > LOAD) this.#down.see(bytes(rates.down));
    if (rates.down > LOAD) this.#rate.see(rates.down);
    if (rates.up > LOAD) this.#up.see(bytes(rates.up));
  }

  /** From the relay, packets; 0: what is usual. */
  get down(): number {
    return firstWindow(this.#down.value);
  }

  /** The most that came in by it lately, bit/s; 0: nothing is known. */
  get mostDown(): number {
    return this.#rate.most;
  }

  /** From the home. */
  get up(): number {
    return firstWindow(this.#up.value);
  }
}
