/** setInterval for engines that have only one-shot timers. */

export interface OneShot<Handle> {
  readonly set: (callback: () => void, ms: number) => Handle;
  readonly clear: (handle: Handle) => void;
}

/** What setTimeout and setInterval answer. */
export interface Timer {
  stop: () => void;
}

export interface Timers {
  readonly setTimeout: (callback: () => void, ms: number) => Timer;
  readonly clearTimeout: (timer: Timer | undefined) => void;
  readonly setInterval: (callback: () => void, ms: number) => Timer;
  readonly clearInterval: (timer: Timer | undefined) => void;
}

/** No less than 1 ms, and what is too long for a 32-bit number is 1 ms too, as on Node. */
function clamp(ms: number): number {
  return ms >= 1 && ms <= 0x7fffffff ? Math.trunc(ms) : 1;
}

export function makeTimers<Handle>(engine: OneShot<Handle>): Timers {
  const clear = (timer: Timer | undefined): void => timer?.stop();
  return {
    setTimeout(callback, ms) {
      let armed: Handle | undefined = engine.set(() => {
        armed = undefined;
        callback();
      }, clamp(ms));
      return {
        stop() {
          if (armed !== undefined) engine.clear(armed);
          armed = undefined;
        },
      };
    },
    setInterval(callback, ms) {
      let armed: Handle | undefined;
      const tick = (): void => {
        // First, so that the callback may stop it.
        armed = engine.set(tick, clamp(ms));
        callback();
      };
      armed = engine.set(tick, clamp(ms));
      return {
        stop() {
          if (armed !== undefined) engine.clear(armed);
          armed = undefined;
        },
      };
    },
    clearTimeout: clear,
    clearInterval: clear,
  };
}
