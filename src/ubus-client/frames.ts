import { MAX_LENGTH, viewOf } from "./blob.ts";
import { malformed } from "./error.ts";

/** One message, with its attributes as they came. */
export interface Frame {
  /** 0 to 255; only 0 is known. ubusd passes on what others wrote here, so another one is no reason to mistrust what follows. */
  readonly version: number;
  /** 0 to 255. */
  readonly type: number;
  readonly seq: number;
  readonly peer: number;
  readonly body: Uint8Array;
}

/** The header of 8 bytes and the head of the attribute around all. */
const HEAD = 12;
const FIRST_SIZE = 512;

/** Cuts what comes, in pieces of any size, into messages. Holds one message at the most, and takes memory only for what has come. */
export class FrameReader {
  #bytes = new Uint8Array(FIRST_SIZE);
  #length = 0;

  /**
   * The messages that this piece completes. Throws a UbusError, PARSE_ERROR, at a length below 4 bytes or over 1 MiB: where the
   * next message begins is not known then.
   */
  *push(piece: Uint8Array): Generator<Frame> {
    for (let start = 0; start < piece.length; ) {
      const wanted = this.#length < HEAD ? HEAD : this.#frameLength();
      const end = Math.min(piece.length, start + wanted - this.#length);
      this.#append(piece.subarray(start, end));
      start = end;
      if (this.#length >= HEAD && this.#length === this.#frameLength()) yield this.#take();
    }
  }

  #append(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    if (length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(length, this.#bytes.length * 2));
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    this.#bytes.set(bytes, this.#length);
    this.#length = length;
  }

  #frameLength(): number {
    const view = viewOf(this.#bytes);
    const length = view.getUint32(8) & 0xffffff;
    if (length < 4 || length > MAX_LENGTH) throw malformed(`a message of ${length} bytes is none: 4 to ${MAX_LENGTH} are`);
    return 8 + length;
  }

  #take(): Frame {
    const view = viewOf(this.#bytes);
    const body = this.#bytes.slice(HEAD, this.#length);
    this.#length = 0;
    if (this.#bytes.length > FIRST_SIZE) this.#bytes = new Uint8Array(FIRST_SIZE);
    return { version: view.getUint8(0), type: view.getUint8(1), seq: view.getUint16(2), peer: view.getUint32(4), body };
  }
}
