/** Whether the signal has fired by now. The compiler takes a property that was false before an await for false after it. */
export function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

/** Resolves when the signal fires. */
export async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      resolve();
    };
    signal.addEventListener("abort", done, { once: true });
  });
}

/** A controller that fires with the signal, and may be fired by itself. */
export function endingWith(signal: AbortSignal): AbortController {
  const end = new AbortController();
  if (signal.aborted) end.abort(signal.reason);
  signal.addEventListener(
    "abort",
    () => {
      end.abort(signal.reason);
    },
    { once: true },
  );
  return end;
}
