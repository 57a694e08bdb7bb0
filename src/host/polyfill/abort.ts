/** AbortController and AbortSignal, as far as globals.d.ts declares them, for engines that have none. */

type Listener = () => void;

function abortError(): Error {
  const error = new Error("This operation was aborted");
  error.name = "AbortError";
  return error;
}

/** The same as globals.d.ts's, which a project with Node's types has not. */
export interface PlainAbortController {
  readonly signal: PlainAbortSignal;
  abort(reason?: unknown): void;
}

export interface PlainAbortSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  throwIfAborted(): void;
  addEventListener(type: "abort", listener: Listener, options?: { once?: boolean }): void;
  removeEventListener(type: "abort", listener: Listener): void;
}

class Signal implements PlainAbortSignal {
  #aborted = false;
  #reason: unknown = undefined;
  /** In the order they were added; the value says whether it is called once only. */
  readonly #listeners = new Map<Listener, boolean>();
  readonly #report: (error: unknown) => void;

  constructor(report: (error: unknown) => void) {
    this.#report = report;
  }

  get aborted(): boolean {
    return this.#aborted;
  }

  get reason(): unknown {
    return this.#reason;
  }

  throwIfAborted(): void {
    if (this.#aborted) throw this.#reason;
  }

  addEventListener(_type: "abort", listener: Listener, options?: { once?: boolean }): void {
    if (!this.#listeners.has(listener)) this.#listeners.set(listener, options?.once ?? false);
  }

  removeEventListener(_type: "abort", listener: Listener): void {
    this.#listeners.delete(listener);
  }

  /** Not for users of the signal: its controller's. */
  fire(reason: unknown): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#reason = reason;
    // One that is removed by another before its turn is not called; one that is added now is not called either.
    for (const [listener, once] of [...this.#listeners]) {
      if (!this.#listeners.has(listener)) continue;
      if (once) this.#listeners.delete(listener);
      try {
        listener();
      } catch (error) {
        this.#report(error);
      }
    }
  }
}

/** The class, for an engine that reports what listeners throw by `report`; the listeners after them are called all the same. */
export function abortControllerClass(report: (error: unknown) => void): new () => PlainAbortController {
  return class implements PlainAbortController {
    readonly #signal = new Signal(report);

    get signal(): PlainAbortSignal {
      return this.#signal;
    }

    abort(reason?: unknown): void {
      this.#signal.fire(reason === undefined ? abortError() : reason);
    }
  };
}
