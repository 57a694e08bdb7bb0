const MOST = 255;

/**
 * Identifiers for MPTCP endpoints, 1 to 255, one after another: one that was used lately comes again as late as can be. Kernels up to
 * 6.6 mix up subflows of an endpoint with those of an earlier one of the same identifier.
 */
export class EndpointIds {
  #last: number;

  /** `start` is any number; different ones after each start of the program are best. */
  constructor(start: number) {
    this.#last = start % MOST;
  }

  /** The next one that is not used. Throws RangeError if all are, which the kernel's limit of eight prevents. */
  next(used: ReadonlySet<number>): number {
    for (let tries = 0; tries < MOST; tries += 1) {
      this.#last = (this.#last % MOST) + 1;
      if (!used.has(this.#last)) return this.#last;
    }
    throw new RangeError("all 255 identifiers of MPTCP endpoints are in use");
  }
}
