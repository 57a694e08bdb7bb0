import * as native from "binder:native";
import { hostError } from "../errors.ts";
import { HostError } from "../types.ts";
import { Readiness } from "./readiness.ts";

/** An end of a pipe, or a connected socket. */
export class Descriptor {
  readonly #descriptor: number;
  readonly #readable: Readiness;
  readonly #writable: Readiness;
  readonly #onClose: () => void;
  #open = true;
  /** Settled when the last write that was asked for is done; undefined while there is none. */
  #writing: Promise<void> | undefined;

  /** Takes the descriptor over. */
  constructor(descriptor: number, onClose: () => void = () => undefined) {
    native.unblock(descriptor);
    this.#descriptor = descriptor;
    this.#readable = new Readiness(descriptor, false);
    this.#writable = new Readiness(descriptor, true);
    this.#onClose = onClose;
  }

  /** What comes, up to the end of file or to {@link close}. Closed when its reader has enough. */
  async *chunks(): AsyncGenerator<Uint8Array, void> {
    try {
      for (let chunk = await this.#read(); chunk !== undefined; chunk = await this.#read()) yield chunk;
    } finally {
      this.close();
    }
  }

  async #read(): Promise<Uint8Array | undefined> {
    for (;;) {
      // First, so that a peer that never stops leaves others their turn.
      if (this.#open) await this.#readable.wait();
      if (!this.#open) return undefined;
      const bytes = attempt(() => native.read(this.#descriptor));
      if (bytes !== undefined) return bytes.length === 0 ? undefined : bytes;
    }
  }

  /** In the order of the calls. Rejects with EPIPE once it is closed at either end. */
  async write(bytes: Uint8Array): Promise<void> {
    const own = this.#writing === undefined ? this.#writeAll(bytes) : this.#writing.then(async () => await this.#writeAll(bytes));
    const done = own.catch(() => undefined);
    this.#writing = done;
    try {
      await own;
    } finally {
      if (this.#writing === done) this.#writing = undefined;
    }
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    for (let offset = 0; offset < bytes.length; ) {
      if (!this.#open) throw new HostError("EPIPE", "EPIPE: it is closed, write");
      const from = offset;
      offset += attempt(() => native.write(this.#descriptor, bytes, from));
      if (offset < bytes.length) await this.#writable.wait();
    }
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#readable.end();
    this.#writable.end();
    native.close(this.#descriptor);
    this.#onClose();
  }
}

function attempt<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw hostError(error);
  }
}
