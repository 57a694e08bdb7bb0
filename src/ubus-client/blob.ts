/**
 * Attributes, of which all of ubus is made (libubox, blob.h): a big-endian word with an id of 7 bits, a bit that says whether a name
 * follows, and a length of 24 bits; then the payload, then zeros up to a multiple of 4. The length counts the word itself, not the
 * zeros; that of an attribute with others in it counts theirs.
 */
import { malformed, UbusError } from "./error.ts";

/** The largest message that ubusd takes, without its 8 bytes of header (libubus.h, UBUS_MAX_MSGLEN). */
export const MAX_LENGTH = 1024 * 1024;

const HEAD = 4;
export const padded = (length: number): number => (length + 3) & ~3;

export const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export interface Attribute {
  /** 0 to 127. */
  readonly id: number;
  /** A blobmsg name comes first in the payload. */
  readonly named: boolean;
  /** A view of the bytes that were given. */
  readonly payload: Uint8Array;
}

/** The attributes in these bytes. Throws a UbusError where they do not fill them. */
export function* attributesOf(bytes: Uint8Array): Generator<Attribute> {
  const view = viewOf(bytes);
  for (let start = 0; start < bytes.length; ) {
    const left = bytes.length - start;
    const word = left >= HEAD ? view.getUint32(start) : 0;
    const length = word & 0xffffff;
    if (length < HEAD || padded(length) > left)
      throw malformed(`an attribute of ${length} bytes can't be in the ${left} bytes that are left`);
    yield { id: (word >>> 24) & 0x7f, named: word >>> 31 === 1, payload: bytes.subarray(start + HEAD, start + length) };
    start += padded(length);
  }
}

/** Writes attributes one after another, and others within them, into a buffer that grows up to {@link MAX_LENGTH}. */
export class BlobWriter {
  #bytes = new Uint8Array(256);
  #length = 0;

  /** Begins an attribute; answers where, for {@link end}. */
  begin(id: number, named = false): number {
    const start = this.#length;
    this.uint(4, ((named ? 0x80 : 0) | id) * 2 ** 24);
    return start;
  }

  end(start: number): void {
    const view = viewOf(this.#bytes);
    view.setUint32(start, (view.getUint32(start) & 0xff000000) + this.#length - start);
    this.pad();
  }

  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Big-endian; of a negative number the two's complement. */
  uint(size: 1 | 2 | 4, value: number): void {
    this.#reserve(size);
    for (let shift = (size - 1) * 8; shift >= 0; shift -= 8) this.#bytes[this.#length++] = value >>> shift;
  }

  /** UTF-8 and a NUL. */
  text(text: string): void {
    if (text.includes("\0")) throw new UbusError("INVALID_ARGUMENT", `a text on ubus can't hold a NUL: ${JSON.stringify(text)}`);
    this.bytes(new TextEncoder().encode(`${text}\0`));
  }

  /** Zeros up to a multiple of 4. */
  pad(): void {
    this.bytes(new Uint8Array(padded(this.#length) - this.#length));
  }

  /** What was written; a copy. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed > MAX_LENGTH) throw new UbusError("INVALID_ARGUMENT", `a message on ubus is at most ${MAX_LENGTH} bytes`);
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}

/** A text in a payload: up to its first NUL. Undefined if it does not end in one. */
export function textOf(payload: Uint8Array): string | undefined {
  if (payload.length === 0 || payload[payload.length - 1] !== 0) return undefined;
  return new TextDecoder().decode(payload.subarray(0, payload.indexOf(0)));
}
