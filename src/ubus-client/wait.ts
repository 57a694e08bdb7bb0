import { UbusError } from "./error.ts";

export interface RequestOptions {
  /** Milliseconds until it fails with TIMEOUT, waiting for ubusd to appear included. Default 30 000, as the ubus program's. */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
}

/** Runs `body` with a signal that fires at the limit, or with the caller's; its reason is what the body is to reject with. */
export async function limited<T>(what: string, options: RequestOptions, body: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { timeout = 30_000, signal } = options;
  signal?.throwIfAborted();
  const end = new AbortController();
  const onAbort = (): void => end.abort(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  const timer = setTimeout(() => end.abort(new UbusError("TIMEOUT", `${what}: no answer within ${timeout} ms`)), timeout);
  try {
    return await body(end.signal);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}

/** Whether the signal has fired by now. The compiler takes a property that was false before an await for false after it. */
export const isAborted = (signal: AbortSignal): boolean => signal.aborted;

/** A promise that `start` settles, unless the signal fires first: then it rejects with its reason. `start` answers what cleans up. */
export async function untilAborted<T>(
  signal: AbortSignal,
  start: (resolve: (value: T) => void, reject: (error: unknown) => void) => () => void,
): Promise<T> {
  signal.throwIfAborted();
  let cleanUp = (): void => undefined;
  let onAbort = (): void => undefined;
  try {
    return await new Promise<T>((resolve, reject) => {
      onAbort = () => reject(signal.reason);
      signal.addEventListener("abort", onAbort, { once: true });
      cleanUp = start(resolve, reject);
    });
  } finally {
    signal.removeEventListener("abort", onAbort);
    cleanUp();
  }
}

/** What one waits for until somebody rings. A ring before the wait ends the next one at once. */
export class Bell {
  #rung = false;
  #waiter: (() => void) | undefined;

  ring(): void {
    this.#rung = true;
    this.#waiter?.();
  }

  /** Until rung, or `ms` have passed (never, if undefined), or the signal fires; does not reject. */
  async wait(ms: number | undefined, signal: AbortSignal): Promise<void> {
    if (!this.#rung && !signal.aborted) {
      await untilAborted<undefined>(signal, (resolve) => {
        const done = (): void => resolve(undefined);
        this.#waiter = done;
        const timer = ms === undefined ? undefined : setTimeout(done, ms);
        return () => {
          this.#waiter = undefined;
          if (timer !== undefined) clearTimeout(timer);
        };
      }).catch(() => undefined);
    }
    this.#rung = false;
  }
}

/** Milliseconds before the next try, after `failures` of them: 250 doubled each time up to 30 000, and of that between half and all. */
export function backOff(failures: number, random: number): number {
  return Math.min(30_000, 250 * 2 ** Math.min(failures - 1, 30)) * (0.5 + random / 2);
}
