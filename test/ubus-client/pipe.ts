import { decodeMessage, encodeMessage, FrameReader, type Message, type Transport } from "../../src/ubus-client/index.ts";

/** A connection without a socket: what the client writes is read here, and what is put in comes to the client. */
export class Pipe implements Transport {
  /** What the client has sent. */
  readonly sent: Message[] = [];
  closed = false;
  readonly #reader = new FrameReader();
  readonly #writable: boolean;
  readonly #pieces: Uint8Array[] = [];
  #wake = (): void => undefined;

  /** `writable`: false for a ubusd that never reads. */
  constructor(writable = true) {
    this.#writable = writable;
  }

  get input(): AsyncIterable<Uint8Array> {
    return this.#read();
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (const frame of this.#reader.push(bytes)) this.sent.push(decodeMessage(frame));
    if (!this.#writable) await new Promise(() => undefined);
  }

  close(): void {
    this.closed = true;
    this.#wake();
  }

  put(...pieces: readonly (Uint8Array | Message)[]): void {
    this.#pieces.push(...pieces.map((piece) => (piece instanceof Uint8Array ? piece : encodeMessage(piece))));
    this.#wake();
  }

  hello(clientId = 4711): void {
    this.put({ type: "hello", seq: 0, peer: clientId, attributes: {} });
  }

  async *#read(): AsyncGenerator<Uint8Array> {
    for (;;) {
      for (let piece = this.#pieces.shift(); piece !== undefined; piece = this.#pieces.shift()) yield piece;
      if (this.closed) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

/** Lets all that can be done now be done. */
export async function settle(): Promise<void> {
  await new Promise<void>((resolve) => {
    setTimeout(() => resolve(), 0);
  });
}
