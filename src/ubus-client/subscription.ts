import type { Connection } from "./connection.ts";
import { decodeTable } from "./decode.ts";
import { UbusError } from "./error.ts";
import type { Message } from "./message.ts";
import type { Shared } from "./publication.ts";
import { Registration } from "./registration.ts";
import type { UbusTable } from "./values.ts";

export interface SubscriptionHandlers {
  /** A notification. Called for one after another; what it throws is told to the client's `onError`. */
  readonly onNotification: (type: string, data: UbusTable) => void;
  /** From now on every notification comes; before, some may have been missed. */
  readonly onUp?: () => void;
  /** The object, or ubusd, has gone. The subscription stays, and is up again once the object is back. */
  readonly onDown?: () => void;
}

/** A client's side of a subscription to the object with this path, be it there or not. */
export class Subscription {
  readonly path: string;
  readonly #registration: Registration;
  readonly #handlers: SubscriptionHandlers;
  /** The object that is subscribed to, or is being. */
  #target: number | undefined;
  #up = false;

  /** `find` answers the number of the object with a path, and rejects with NOT_FOUND. */
  constructor(
    path: string,
    handlers: SubscriptionHandlers,
    find: (connection: Connection, path: string, signal: AbortSignal) => Promise<number>,
    shared: Shared,
  ) {
    this.path = path;
    this.#handlers = handlers;
    const what = `subscribing to ${path}`;
    this.#registration = new Registration({
      ...shared,
      what,
      attributes: {},
      join: async (connection, objectId, signal) => {
        if (this.#up) return;
        const target = await find(connection, path, signal);
        this.#target = target;
        await connection.request({ type: "subscribe", attributes: { objectId, target }, what }, signal);
        if (!this.#isTarget(target)) throw new UbusError("NOT_FOUND", `${what}: it went away`);
        this.#up = true;
        handlers.onUp?.();
      },
      onMessage: (message, connection) => this.#take(message, connection),
      onLost: () => this.#down(),
      // That it is not there is no fault: it may come.
      onError: (error) => {
        if (error.status !== "NOT_FOUND") shared.onError(error);
      },
    });
  }

  /** @internal */
  get registration(): Registration {
    return this.#registration;
  }

  get isUp(): boolean {
    return this.#up;
  }

  /** Resolves once it is up. */
  async ready(signal: AbortSignal): Promise<void> {
    await this.#registration.ready(signal);
  }

  close(): void {
    this.#registration.close();
  }

  /** @internal An object with this path has come. */
  appeared(path: string): void {
    if (path === this.path && !this.#up) this.#registration.again();
  }

  #isTarget(id: number): boolean {
    return this.#target === id;
  }

  #down(): void {
    this.#target = undefined;
    if (!this.#up) return;
    this.#up = false;
    this.#handlers.onDown?.();
  }

  #take({ type, seq, peer, attributes }: Message, connection: Connection): void {
    const { objectId = 0, method, data, target, noReply } = attributes;
    if (type === "unsubscribe" && target === this.#target) {
      this.#down();
      this.#registration.again();
    }
    if (type !== "invoke") return;
    // Before the handler, which may take its time or throw.
    if (noReply !== true) connection.send("status", seq, peer, { status: 0, objectId });
    this.#handlers.onNotification(method ?? "", data === undefined ? {} : decodeTable(data));
  }
}
