/** Works that must not overlap: each begins when those given before it have ended, well or not. */
export class Turn {
  #last: Promise<unknown> = Promise.resolve();

  /** Answers, or rejects, as the work does. A work that takes the same turn again waits for itself, for ever. */
  async take<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work);
    this.#last = mine.catch(() => undefined);
    return await mine;
  }
}
