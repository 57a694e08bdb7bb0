import { Connection } from "./connection.ts";
import { asUbusError, UbusError } from "./error.ts";
import type { Message } from "./message.ts";
import type { Transport } from "./transport.ts";
import { backOff, Bell, isAborted, limited } from "./wait.ts";

/** Milliseconds for a connection, and for ubusd's HELLO. */
const CONNECT_LIMIT = 5_000;

export type UbusState =
  | { readonly kind: "up"; readonly clientId: number }
  /** `retry`: milliseconds until the next try. */
  | { readonly kind: "down"; readonly error: UbusError; readonly retry: number };

export interface SessionOptions {
  readonly connect: (signal: AbortSignal) => Promise<Transport>;
  readonly onMessage: (message: Message, connection: Connection) => void;
  /** A connection is there; what it resolves after is done before it is told to be up. */
  readonly onConnected: (connection: Connection) => Promise<void>;
  readonly onState: (state: UbusState) => void;
  /** 0 to 1. */
  readonly random: () => number;
}

/** Connects, and again after each loss, until it is closed. */
export class Session {
  readonly #options: SessionOptions;
  readonly #end = new AbortController();
  readonly #waiting = new Set<Bell>();
  #connection: Connection | undefined;
  #lastError: UbusError | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  get connection(): Connection | undefined {
    return this.#connection?.signal.aborted === false ? this.#connection : undefined;
  }

  get isClosed(): boolean {
    return this.#end.signal.aborted;
  }

  close(): void {
    const reason = new UbusError("CONNECTION_FAILED", "this client of ubusd was closed");
    this.#end.abort(reason);
    this.#connection?.close(reason);
    this.#ring();
  }

  /** Waits for a connection until the signal fires; says then why there is none, if it is known. */
  async connected(signal: AbortSignal): Promise<Connection> {
    const bell = new Bell();
    this.#waiting.add(bell);
    try {
      for (;;) {
        this.#end.signal.throwIfAborted();
        if (this.connection !== undefined) return this.connection;
        if (signal.aborted) throw this.#absence(signal.reason);
        await bell.wait(undefined, signal);
      }
    } finally {
      this.#waiting.delete(bell);
    }
  }

  /** Does not reject. Call it once. */
  async run(): Promise<void> {
    const { signal } = this.#end;
    const { onConnected, onState, random } = this.#options;
    for (let failures = 0; !this.isClosed; ) {
      let error: UbusError;
      try {
        const connection = await this.#connect(signal);
        this.#connection = connection;
        const restored = onConnected(connection);
        this.#ring();
        await restored;
        failures = 0;
        if (!connection.signal.aborted) onState({ kind: "up", clientId: connection.clientId });
        await new Bell().wait(undefined, connection.signal);
        error = asUbusError(connection.signal.reason, "CONNECTION_FAILED", "the connection to ubusd broke");
      } catch (cause) {
        error = asUbusError(cause, "CONNECTION_FAILED", "ubusd is not there");
      }
      if (isAborted(signal)) return;
      failures += 1;
      this.#lastError = error;
      const retry = backOff(failures, random());
      onState({ kind: "down", error, retry });
      await new Bell().wait(retry, signal);
    }
  }

  async #connect(signal: AbortSignal): Promise<Connection> {
    return await limited("connecting to ubusd", { timeout: CONNECT_LIMIT, signal }, async (limit) => {
      const transport = await this.#options.connect(limit);
      return await Connection.open(transport, this.#options.onMessage, limit);
    });
  }

  #ring(): void {
    for (const bell of this.#waiting) bell.ring();
  }

  #absence(reason: unknown): unknown {
    const last = this.#lastError;
    if (!(reason instanceof UbusError) || last === undefined) return reason;
    return new UbusError("CONNECTION_FAILED", `${reason.message}: ${last.message}`, { cause: last });
  }
}
