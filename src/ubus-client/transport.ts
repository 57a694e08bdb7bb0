/** A connected stream socket. What a program has for sockets usually fits; here is all that is asked of it. */
export interface Transport {
  /** What comes from ubusd; ends, or fails, with the connection. Iterated once. */
  readonly input: AsyncIterable<Uint8Array>;
  /** Resolves when the bytes are handed on. Not called again before that. */
  write(bytes: Uint8Array): Promise<void>;
  /** Ends the connection; `input` ends with it. */
  close(): void;
}

/** More than this waiting for ubusd to read it is refused (bytes). */
const MAX_QUEUED = 4 * 1024 * 1024;

/** Writes in order, what has gathered meanwhile at once. */
export class WriteQueue {
  readonly #transport: Transport;
  readonly #onError: (error: unknown) => void;
  #waiting: Uint8Array[] = [];
  #size = 0;
  #writing = false;

  constructor(transport: Transport, onError: (error: unknown) => void) {
    this.#transport = transport;
    this.#onError = onError;
  }

  /** False if too much is waiting. */
  push(bytes: Uint8Array): boolean {
    if (this.#size + bytes.length > MAX_QUEUED) return false;
    this.#waiting.push(bytes);
    this.#size += bytes.length;
    if (!this.#writing) void this.#drain();
    return true;
  }

  async #drain(): Promise<void> {
    this.#writing = true;
    try {
      while (this.#waiting.length > 0) {
        const bytes = joined(this.#waiting);
        this.#waiting = [];
        await this.#transport.write(bytes);
        this.#size -= bytes.length;
      }
    } catch (error) {
      this.#onError(error);
    }
    this.#writing = false;
  }
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const [first] = pieces;
  if (first !== undefined && pieces.length === 1) return first;
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const piece of pieces) {
    whole.set(piece, offset);
    offset += piece.length;
  }
  return whole;
}
