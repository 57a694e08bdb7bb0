import type { Host } from "../host/types.ts";
import { dependants, lanesOf } from "./healing.ts";
import { laneAddress, type Membership } from "./plan.ts";
import { readSubflows } from "./subflows.ts";

/** While a lane may fall, the connections are looked at this often (ms): less than the silence that makes it suspect. */
const LOOK_EVERY = 100;

/** Knows which of the lanes that may fall are still some connection's only one. */
export class Dependence {
  readonly #host: Host;
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(host: Host) {
    this.#host = host;
  }

  /**
   * Of `numbers`, the lanes that may fall, those that some connection has alone; undefined: it was looked a moment ago. Rejects if `ss` can't be
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
