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

  constructor(host: Host) {
    this.#host = host;
  }

  /**
   * Of `numbers`, the lanes to be left, those that some connection has alone; undefined: it was looked a moment ago. Rejects if `ss` can't be
   * run.
   */
  async look(
    membership: Membership | undefined,
    numbers: readonly number[],
    signal: AbortSignal,
  ): Promise<ReadonlySet<number> | undefined> {
    if (membership === undefined || numbers.length === 0) return new Set();
    const now = this.#host.clock.monotonic();
    if (now - this.#lookedAt < LOOK_EVERY) return undefined;
    this.#lookedAt = now;
    const connections = lanesOf(await readSubflows(this.#host, signal));
    return new Set(numbers.filter((number) => dependants(connections, laneAddress(membership, number)) > 0));
  }
}
