import type { Host } from "../host/types.ts";
import { dependants, lanesOf } from "./healing.ts";
import { laneAddress, type Membership } from "./plan.ts";
import { readSubflows } from "./subflows.ts";

/** While a lane is to be left, the connections are looked at this often (ms): less than what it is left at least. */
const LOOK_EVERY = 200;

/** Knows which of the lanes that are about to be left are still some connection's only one. */
export class Leaving {
  readonly #host: Host;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #dependedOn: ReadonlySet<number> = new Set();

  constructor(host: Host) {
    this.#host = host;
  }

  /** The numbers of those lanes, by the last look. */
  get dependedOn(): ReadonlySet<number> {
    return this.#dependedOn;
  }

  /** Looks at the connections, if it is time to. `numbers`: of the lanes to be left. Rejects if `ss` can't be run. */
  async look(membership: Membership | undefined, numbers: readonly number[], signal: AbortSignal): Promise<void> {
    if (membership === undefined || numbers.length === 0) {
      this.#dependedOn = new Set();
      return;
    }
    const now = this.#host.clock.monotonic();
    if (now - this.#lookedAt < LOOK_EVERY) return;
    this.#lookedAt = now;
    const connections = lanesOf(await readSubflows(this.#host, signal));
    this.#dependedOn = new Set(numbers.filter((number) => dependants(connections, laneAddress(membership, number)) > 0));
  }
}
