import * as native from "binder:native";

/** Waits until a descriptor can be read, or written. One wait at a time. */
export class Readiness {
  readonly #descriptor: number;
  readonly #toWrite: boolean;
  #watch: number | undefined;
  #settle: (() => void) | undefined;

  constructor(descriptor: number, toWrite: boolean) {
    this.#descriptor = descriptor;
    this.#toWrite = toWrite;
  }

  /** Resolves when it can be, or when {@link end} is called. */
  async wait(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#settle = resolve;
      this.#watch = native.watch(this.#descriptor, this.#toWrite, () => {
        this.end();
      });
    });
  }

  /** Before the descriptor is closed. */
  end(): void {
    if (this.#watch !== undefined) native.unwatch(this.#watch);
    this.#watch = undefined;
    this.#settle?.();
    this.#settle = undefined;
  }
}
