import { asUbusError, UbusError } from "./error.ts";
import { type Frame, FrameReader } from "./frames.ts";
import { type Attributes, decodeMessage, encodeMessage, type Message, type MessageType } from "./message.ts";
import { Requests } from "./requests.ts";
import { type Transport, WriteQueue } from "./transport.ts";
import { untilAborted } from "./wait.ts";

export interface Request {
  readonly type: MessageType;
  /** The object that is called or notifies; 0 (default) for ubusd itself. */
  readonly peer?: number;
  readonly attributes: Attributes;
  /** For errors: `network.device status`. */
  readonly what: string;
  /** A notification whose subscribers are to answer. */
  readonly notify?: boolean;
  readonly onData?: (message: Message) => void;
}

/** One connection to ubusd, from its HELLO to its end. */
export class Connection {
  /** Ours, 2 to 2^32-1; another after each connection. */
  readonly clientId: number;
  /** Fires when the connection has ended; its reason is the UbusError of what was under way. */
  readonly signal: AbortSignal;
  readonly #end = new AbortController();
  readonly #transport: Transport;
  readonly #queue: WriteQueue;
  readonly #requests = new Requests();
  readonly #onMessage: (message: Message, connection: Connection) => void;

  private constructor(transport: Transport, clientId: number, onMessage: (message: Message, connection: Connection) => void) {
    this.#transport = transport;
    this.clientId = clientId;
    this.signal = this.#end.signal;
    this.#onMessage = onMessage;
    this.#queue = new WriteQueue(transport, (error) =>
      this.close(asUbusError(error, "CONNECTION_FAILED", "the connection to ubusd broke")),
    );
  }

  /**
   * Waits for ubusd's HELLO. `onMessage` gets what comes unasked, one message after another; of these it must look at invoke,
   * notify and unsubscribe. Throws a UbusError, or the signal's reason.
   */
  static async open(
    transport: Transport,
    onMessage: (message: Message, connection: Connection) => void,
    signal: AbortSignal,
  ): Promise<Connection> {
    try {
      return await untilAborted<Connection>(signal, (resolve, reject) => {
        Connection.#read(transport, onMessage, resolve).catch(reject);
        return () => undefined;
      });
    } catch (error) {
      transport.close();
      throw error;
    }
  }

  static async #read(
    transport: Transport,
    onMessage: (message: Message, connection: Connection) => void,
    opened: (connection: Connection) => void,
  ): Promise<void> {
    const reader = new FrameReader();
    let connection: Connection | undefined;
    let reason = new UbusError("CONNECTION_FAILED", "ubusd closed the connection");
    try {
      for await (const piece of transport.input) {
        for (const frame of reader.push(piece)) {
          if (connection?.signal.aborted === true) return;
          if (connection !== undefined) connection.#take(frame);
          else {
            if (frame.type !== 0) throw new UbusError("PARSE_ERROR", "what answers is no ubusd: its first message is no HELLO");
            connection = new Connection(transport, frame.peer, onMessage);
            opened(connection);
          }
        }
      }
    } catch (error) {
      reason = asUbusError(error, "CONNECTION_FAILED", "the connection to ubusd broke");
    }
    if (connection === undefined) throw reason;
    connection.close(reason);
  }

  /** Ends it; requests that wait fail with the reason. */
  close(reason: UbusError): void {
    if (this.signal.aborted) return;
    this.#end.abort(reason);
    this.#transport.close();
    this.#requests.failAll(reason);
  }

  /** Without an answer. Throws a UbusError. */
  send(type: MessageType, seq: number, peer: number, attributes: Attributes): void {
    this.signal.throwIfAborted();
    if (!this.#queue.push(encodeMessage({ type, seq, peer, attributes }))) {
      throw new UbusError("NO_MEMORY", "ubusd does not read what is sent to it");
    }
  }

  /** Resolves at the STATUS that is OK, rejects with a UbusError at every other, with the signal's reason when it fires. */
  async request({ type, peer = 0, attributes, what, notify, onData }: Request, signal: AbortSignal): Promise<void> {
    this.signal.throwIfAborted();
    await untilAborted<undefined>(signal, (resolve, reject) => {
      const seq = this.#requests.begin({
        peers: new Set([peer]),
        what,
        notified: notify === true ? peer : undefined,
        onData: onData ?? (() => undefined),
        resolve: () => resolve(undefined),
        reject,
      });
      try {
        this.send(type, seq, peer, attributes);
      } catch (error) {
        reject(error);
      }
      return () => this.#requests.forget(seq);
    });
  }

  #take(frame: Frame): void {
    let message: Message;
    try {
      message = decodeMessage(frame);
    } catch (error) {
      // Others than ubusd have a hand in what a message holds, so it ends one request and not the connection.
      this.#requests.fail(frame.seq, frame.peer, asUbusError(error, "PARSE_ERROR", "an answer"));
      return;
    }
    if (message.type === "status" || message.type === "data") this.#requests.take(message);
    else this.#onMessage(message, this);
  }
}
