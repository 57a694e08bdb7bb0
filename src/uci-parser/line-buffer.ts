import { bytesToText } from "./bytes.ts";
import { UciError } from "./types.ts";

const NEWLINE = 0x0a;
const FIRST_SIZE = 32;
/** fgets takes an int: with 4 GiB the real program reads no more and never ends. Only NUL bytes in hundreds of lines lead here. */
const SIZE_LIMIT = 2 ** 32;

/**
 * uci's line buffer (file.c, uci_getln): lines are appended at an offset, commands read and rewrite it in place, and a NUL ends what
 * is visible. Text after a NUL is lost as far as one read went, which depends on the buffer's size; so the size is kept as uci has it,
 * 32 bytes and doubled, though no such memory is taken.
 */
export class LineBuffer {
  /** Where the parser stands. */
  position = 0;
  /** End of what the last read filled. */
  filled = 0;
  /** Whole lines read, as uci counts them. */
  lines = 0;
  /** Line of the input that was last read from, 1-based. */
  inputLine = 0;
  /** A read found the end of the input. */
  ended = false;

  readonly #input: Uint8Array;
  #next = 0;
  #bytes = new Uint8Array(256);
  #size = FIRST_SIZE;

  constructor(input: Uint8Array) {
    this.#input = input;
  }

  /** The byte at an offset; 0 beyond the end. */
  at(offset: number): number {
    return this.#bytes[offset] ?? 0;
  }

  get current(): number {
    return this.at(this.position);
  }

  set(offset: number, byte: number): void {
    this.#reserve(offset + 1);
    this.#bytes[offset] = byte;
  }

  /** Offset of the first NUL at or after `start`. */
  end(start: number): number {
    const found = this.#bytes.indexOf(0, start);
    return found < 0 ? this.#bytes.length : found;
  }

  /** The text from `start` to the next NUL. */
  text(start: number): string {
    return bytesToText(this.#bytes.subarray(start, this.end(start)));
  }

  /** Reads the next line to `offset`; leaves a NUL there if the input has ended, or if the line starts with a NUL. */
  readLine(offset: number): void {
    if (offset >= this.#size - 1) this.#double();
    let start = offset;
    for (;;) {
      const length = this.#readPiece(start, this.#size - start - 1);
      if (length === 0) return;
      start += length;
      this.filled = start;
      if (this.at(start - 1) === NEWLINE) {
        this.lines++;
        return;
      }
      this.#double();
    }
  }

  /** fgets: at most `limit` bytes, no further than a newline. Answers the length up to the first NUL. */
  #readPiece(start: number, limit: number): number {
    this.set(start, 0);
    const from = this.#next;
    if (from >= this.#input.length) {
      this.ended = true;
      return 0;
    }
    if (from === 0 || this.#input[from - 1] === NEWLINE) this.inputLine++;
    const newline = this.#input.indexOf(NEWLINE, from);
    const lineEnd = newline < 0 ? this.#input.length : newline + 1;
    this.#next = Math.min(lineEnd, from + limit);
    if (newline < 0 && lineEnd < from + limit) this.ended = true;
    const length = this.#next - from;
    this.#reserve(start + length + 1);
    this.#bytes.set(this.#input.subarray(from, this.#next), start);
    this.#bytes[start + length] = 0;
    return this.end(start) - start;
  }

  #double(): void {
    this.#size *= 2;
    if (this.#size >= SIZE_LIMIT) throw new UciError("Out of memory", "Out of memory", this.inputLine);
  }

  #reserve(length: number): void {
    if (length <= this.#bytes.length) return;
    const bytes = new Uint8Array(Math.max(length, this.#bytes.length * 2));
    bytes.set(this.#bytes);
    this.#bytes = bytes;
  }
}
