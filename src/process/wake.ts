/** Something that loops sleep on: {@link set} wakes whoever waits, or the next who will. */
export class Wake {
  #set = false;
  #waiter: (() => void) | undefined;

  set(): void {
    this.#set = true;
    this.#waiter?.();
  }

  /** Waits until set, or `ms` have passed, or the signal fires; never rejects. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    if (!this.#set && !signal.aborted && ms > 0) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          signal.removeEventListener("abort", done);
          this.#waiter = undefined;
          resolve();
        };
        const timer = setTimeout(done, ms);
        signal.addEventListener("abort", done, { once: true });
        this.#waiter = done;
      });
    }
    this.#set = false;
  }
}
