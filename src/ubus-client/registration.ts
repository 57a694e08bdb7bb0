import type { Connection } from "./connection.ts";
import { asUbusError, UbusError } from "./error.ts";
import type { Attributes, Message } from "./message.ts";
import { backOff, Bell, isAborted, limited, untilAborted } from "./wait.ts";

/** Milliseconds that ubusd has for each try. */
const LIMIT = 10_000;

export interface RegistrationOptions {
  /** For errors: `publishing binder`. */
  readonly what: string;
  /** Of the object that is added: a path and a signature, or nothing. */
  readonly attributes: Attributes;
  /** What is to be done once the object is there, and again after {@link Registration.again}. Rejects to be tried again later. */
  readonly join?: (connection: Connection, objectId: number, signal: AbortSignal) => Promise<void>;
  /** An invoke, notify or unsubscribe for the object. */
  readonly onMessage: (message: Message, connection: Connection) => void;
  /** The connection with the object on it has ended. */
  readonly onLost?: () => void;
  readonly onError: (error: UbusError) => void;
  /** Told to the owner when it is closed. */
  readonly onClose: (registration: Registration) => void;
  /** 0 to 1. */
  readonly random: () => number;
}

/**
 * An object of ours on ubusd: put there again on each new connection, and after a failure with a back-off. Publications, subscriptions
 * and listeners are each one.
 */
export class Registration {
  readonly #options: RegistrationOptions;
  readonly #bell = new Bell();
  readonly #closed = new AbortController();
  #waiters: (() => void)[] = [];
  #place: { readonly connection: Connection; readonly objectId: number } | undefined;
  #ready = false;

  constructor(options: RegistrationOptions) {
    this.#options = options;
  }

  /** Where it is now; undefined while it is nowhere. */
  get place(): { readonly connection: Connection; readonly objectId: number } | undefined {
    return this.#place?.connection.signal.aborted === false ? this.#place : undefined;
  }

  /** Whether it is at its place, and all is done. */
  get isReady(): boolean {
    return this.#ready && this.place !== undefined;
  }

  /** Resolves once it is; rejects with the signal's reason, or a UbusError when it was closed. */
  async ready(signal: AbortSignal): Promise<void> {
    if (this.isReady) return;
    this.#closed.signal.throwIfAborted();
    await untilAborted<undefined>(signal, (resolve, reject) => {
      const onClose = (): void => reject(this.#closed.signal.reason);
      this.#closed.signal.addEventListener("abort", onClose, { once: true });
      const onReady = (): void => resolve(undefined);
      this.#waiters.push(onReady);
      return () => {
        this.#closed.signal.removeEventListener("abort", onClose);
        this.#waiters = this.#waiters.filter((waiter) => waiter !== onReady);
      };
    });
  }

  /** Has what `join` does done again, now. */
  again(): void {
    this.#ready = false;
    this.#bell.ring();
  }

  /** Takes it away for good. */
  close(): void {
    if (this.#closed.signal.aborted) return;
    this.#closed.abort(new UbusError("CONNECTION_FAILED", `${this.#options.what}: closed`));
    this.#options.onClose(this);
    this.#bell.ring();
  }

  /** Keeps it on this connection until either ends; `objects` are those of the connection. Resolves after the first try. */
  async keep(connection: Connection, objects: Map<number, Registration>): Promise<void> {
    await new Promise<void>((tried) => void this.#keep(connection, objects, tried));
  }

  take(message: Message, connection: Connection): void {
    try {
      this.#options.onMessage(message, connection);
    } catch (error) {
      this.#options.onError(asUbusError(error, "UNKNOWN_ERROR", this.#options.what));
    }
  }

  async #keep(connection: Connection, objects: Map<number, Registration>, tried: () => void): Promise<void> {
    const { what, onError, onLost, random } = this.#options;
    for (let failures = 0; !connection.signal.aborted && !this.#closed.signal.aborted; ) {
      try {
        await limited(what, { timeout: LIMIT, signal: connection.signal }, (signal) => this.#put(connection, objects, signal));
        failures = 0;
        this.#ready = true;
        for (const waiter of this.#waiters.splice(0)) waiter();
      } catch (error) {
        this.#ready = false;
        failures += 1;
        if (!isAborted(connection.signal)) onError(asUbusError(error, "UNKNOWN_ERROR", what));
      }
      tried();
      await this.#bell.wait(failures === 0 ? undefined : backOff(failures, random()), connection.signal);
    }
    tried();
    this.#ready = false;
    onLost?.();
    const place = this.#place;
    if (place?.connection !== connection) return;
    this.#place = undefined;
    if (connection.signal.aborted) return;
    objects.delete(place.objectId);
    const removal = { type: "remove-object", attributes: { objectId: place.objectId }, what } as const;
    await limited(what, { timeout: LIMIT, signal: connection.signal }, (signal) => connection.request(removal, signal)).catch(
      () => undefined,
    );
  }

  async #put(connection: Connection, objects: Map<number, Registration>, signal: AbortSignal): Promise<void> {
    const { what, attributes, join } = this.#options;
    if (this.#place?.connection !== connection) {
      const onData = (message: Message): void => {
        const { objectId } = message.attributes;
        if (objectId === undefined) return;
        // At once: its first call may be in the bytes that follow.
        objects.set(objectId, this);
        this.#place = { connection, objectId };
      };
      await connection.request({ type: "add-object", attributes, what, onData }, signal);
    }
    const place = this.place;
    if (place === undefined) throw new UbusError("NO_DATA", `${what}: ubusd gave it no number`);
    await join?.(connection, place.objectId, signal);
  }
}
