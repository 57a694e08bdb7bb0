import { abortControllerClass } from "./polyfill/abort.ts";
import { makeConsole } from "./polyfill/console.ts";
import { makeTimers, type OneShot } from "./polyfill/timers.ts";
import { type QuickUtf8, utf8Classes } from "./polyfill/utf8.ts";

/** What a polyfilled engine must have itself. */
export interface BareEngine<Handle> {
  readonly timers: OneShot<Handle>;
  /** Quicker ways for what is well formed. */
  readonly utf8?: QuickUtf8;
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
}

/** Gives `target`, the global object, those of globals.d.ts that it lacks. */
export function installGlobals<Handle>(target: object, engine: BareEngine<Handle>): void {
  // An error that nobody can catch is thrown from a timer, where the engine shows it; a rejection could go unseen.
  const report = (error: unknown): void => {
    engine.timers.set(() => {
      throw error;
    }, 0);
  };
  const console = makeConsole(engine.stdout, engine.stderr);
  const lacking: Readonly<Record<string, unknown>> = {
    AbortController: abortControllerClass(report),
    ...utf8Classes(engine.utf8),
    queueMicrotask: (callback: () => void): void => void Promise.resolve().then(callback).catch(report),
    ...makeTimers(engine.timers),
  };
  for (const [name, value] of Object.entries(lacking)) {
    if (!(name in target)) define(target, name, value);
  }
  // QuickJS has a console with log alone.
  if (!hasErrorConsole(target)) define(target, "console", console);
}

function hasErrorConsole(target: object): boolean {
  if (!("console" in target)) return false;
  const { console } = target;
  return typeof console === "object" && console !== null && "error" in console;
}

function define(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, configurable: true, writable: true, enumerable: false });
}
