/**
 * What code outside src/host may take for granted of its engine beyond ECMAScript 2022. A host installs what its engine lacks.
 * Node has all of it; QuickJS (2025-04-26) has none.
 */

interface AbortSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  throwIfAborted(): void;
  addEventListener(type: "abort", listener: () => void, options?: { once?: boolean }): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

interface AbortController {
  readonly signal: AbortSignal;
  abort(reason?: unknown): void;
}
declare var AbortController: { new (): AbortController };

interface TextEncoder {
  encode(text?: string): Uint8Array;
}
declare var TextEncoder: { new (): TextEncoder };

interface TextDecoder {
  decode(bytes?: Uint8Array): string;
}
declare var TextDecoder: { new (label?: "utf-8", options?: { fatal?: boolean }): TextDecoder };

interface TimerHandle {
  readonly __timer: unique symbol;
}
declare function setTimeout(callback: () => void, ms: number): TimerHandle;
declare function clearTimeout(handle: TimerHandle): void;
declare function setInterval(callback: () => void, ms: number): TimerHandle;
declare function clearInterval(handle: TimerHandle): void;
declare function queueMicrotask(callback: () => void): void;

interface Console {
  log(...values: unknown[]): void;
  error(...values: unknown[]): void;
}
declare var console: Console;
