/** TextEncoder and TextDecoder for UTF-8, as https://encoding.spec.whatwg.org says, for engines that have none. */

const REPLACEMENT = 0xfffd;
/** Code units handed to String.fromCharCode at a time: an argument each, and the stack is small. */
const UNITS = 4096;

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}

/** The text's UTF-8; a surrogate without its partner becomes U+FFFD. */
export function encodeUtf8(text: string): Uint8Array {
  // A code unit takes at most three bytes; a pair of them four.
  const bytes = new Uint8Array(text.length * 3);
  let size = 0;
  for (let i = 0; i < text.length; i += 1) {
    let point = text.charCodeAt(i);
    if (isHighSurrogate(point) && isLowSurrogate(text.charCodeAt(i + 1))) {
      point = 0x10000 + ((point - 0xd800) << 10) + (text.charCodeAt(i + 1) - 0xdc00);
      i += 1;
    } else if (point >= 0xd800 && point <= 0xdfff) {
      point = REPLACEMENT;
    }
    if (point < 0x80) {
      bytes[size++] = point;
    } else if (point < 0x800) {
      bytes[size++] = 0xc0 | (point >> 6);
      bytes[size++] = 0x80 | (point & 0x3f);
    } else if (point < 0x10000) {
      bytes[size++] = 0xe0 | (point >> 12);
      bytes[size++] = 0x80 | ((point >> 6) & 0x3f);
      bytes[size++] = 0x80 | (point & 0x3f);
    } else {
      bytes[size++] = 0xf0 | (point >> 18);
      bytes[size++] = 0x80 | ((point >> 12) & 0x3f);
      bytes[size++] = 0x80 | ((point >> 6) & 0x3f);
      bytes[size++] = 0x80 | (point & 0x3f);
    }
  }
  return bytes.slice(0, size);
}

interface Lead {
  /** Bytes that follow. */
  readonly more: number;
  /** The lead byte's own bits. */
  readonly bits: number;
  /** What the second byte may be: narrower where a shorter form, a surrogate or a number beyond Unicode would follow. */
  readonly low: number;
  readonly high: number;
}

function leadOf(byte: number): Lead | undefined {
  if (byte >= 0xc2 && byte <= 0xdf) return { more: 1, bits: byte & 0x1f, low: 0x80, high: 0xbf };
  if (byte >= 0xe0 && byte <= 0xef) {
    return { more: 2, bits: byte & 0x0f, low: byte === 0xe0 ? 0xa0 : 0x80, high: byte === 0xed ? 0x9f : 0xbf };
  }
  if (byte >= 0xf0 && byte <= 0xf4) {
    return { more: 3, bits: byte & 0x07, low: byte === 0xf0 ? 0x90 : 0x80, high: byte === 0xf4 ? 0x8f : 0xbf };
  }
  return undefined;
}

/** Collects code points into a text piece by piece. */
class TextBuilder {
  readonly #pieces: string[] = [];
  #units: number[] = [];

  add(point: number): void {
    if (point < 0x10000) this.#units.push(point);
    else this.#units.push(0xd800 + ((point - 0x10000) >> 10), 0xdc00 + ((point - 0x10000) & 0x3ff));
    if (this.#units.length >= UNITS) this.#flush();
  }

  text(): string {
    this.#flush();
    return this.#pieces.join("");
  }

  #flush(): void {
    this.#pieces.push(String.fromCharCode(...this.#units));
    this.#units = [];
  }
}

/**
 * The bytes as text. What is no UTF-8 becomes U+FFFD, one for each longest start of a sequence; if `fatal`, it throws TypeError.
 * A byte order mark at the start is dropped.
 */
export function decodeUtf8(bytes: Uint8Array, fatal: boolean): string {
  const builder = new TextBuilder();
  let at = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  while (at < bytes.length) {
    const first = bytes[at++] ?? 0;
    const lead = leadOf(first);
    let point = first;
    let missing = 0;
    if (lead !== undefined) {
      point = lead.bits;
      missing = lead.more;
      let { low, high } = lead;
      for (let next = bytes[at]; missing > 0 && next !== undefined && next >= low && next <= high; next = bytes[at]) {
        point = (point << 6) | (next & 0x3f);
        missing -= 1;
        at += 1;
        low = 0x80;
        high = 0xbf;
      }
    }
    const valid = missing === 0 && (lead !== undefined || first < 0x80);
    if (!valid && fatal) throw new TypeError("The encoded data was not valid for encoding utf-8");
    builder.add(valid ? point : REPLACEMENT);
  }
  return builder.text();
}

export class Utf8Encoder {
  encode(text = ""): Uint8Array {
    return encodeUtf8(text);
  }
}

export class Utf8Decoder {
  readonly #fatal: boolean;

  constructor(label = "utf-8", options: { fatal?: boolean } = {}) {
    if (!/^(utf-?8|unicode-1-1-utf-8)$/i.test(label)) throw new RangeError(`The "${label}" encoding is not supported`);
    this.#fatal = options.fatal ?? false;
  }

  decode(bytes: Uint8Array = new Uint8Array()): string {
    return decodeUtf8(bytes, this.#fatal);
  }
}

/** Where an engine has something quicker; undefined says that this is none of its cases. */
export interface QuickUtf8 {
  readonly encode: (text: string) => Uint8Array | undefined;
  readonly decode: (bytes: Uint8Array) => string | undefined;
}

export function utf8Classes(quick: QuickUtf8 | undefined): {
  readonly TextEncoder: typeof Utf8Encoder;
  readonly TextDecoder: typeof Utf8Decoder;
} {
  if (quick === undefined) return { TextEncoder: Utf8Encoder, TextDecoder: Utf8Decoder };
  return {
    TextEncoder: class extends Utf8Encoder {
      override encode(text = ""): Uint8Array {
        return quick.encode(text) ?? super.encode(text);
      }
    },
    TextDecoder: class extends Utf8Decoder {
      override decode(bytes: Uint8Array = new Uint8Array()): string {
        return quick.decode(bytes) ?? super.decode(bytes);
      }
    },
  };
}
