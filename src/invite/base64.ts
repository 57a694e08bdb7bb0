/** Base64 (RFC 4648), strict: one text for every sequence of bytes, so a changed character never goes unseen. */

const STANDARD = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

function encode(bytes: Uint8Array, alphabet: string): string {
  const characters: string[] = [];
  let bits = 0;
  let count = 0;
  for (const byte of bytes) {
    bits = ((bits << 8) | byte) & 0xffff;
    count += 8;
    while (count >= 6) {
      count -= 6;
      characters.push(alphabet.charAt((bits >>> count) & 63));
    }
  }
  if (count > 0) characters.push(alphabet.charAt((bits << (6 - count)) & 63));
  return characters.join("");
}

function decode(text: string, alphabet: string): Uint8Array | undefined {
  if (text.length % 4 === 1) return undefined;
  const bytes = new Uint8Array(Math.floor((text.length * 6) / 8));
  let bits = 0;
  let count = 0;
  let length = 0;
  for (const character of text) {
    const value = alphabet.indexOf(character);
    if (value < 0) return undefined;
    bits = ((bits << 6) | value) & 0xffff;
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes[length++] = (bits >>> count) & 255;
    }
  }
  // What is left over of the last character must be zero, or two texts would mean the same bytes.
  return (bits & ((1 << count) - 1)) === 0 ? bytes : undefined;
}

/** Base64url without padding (RFC 4648, 5). */
export const encodeBase64Url = (bytes: Uint8Array): string => encode(bytes, URL_SAFE);

/** Undefined if the text is not exactly what {@link encodeBase64Url} writes. */
export const decodeBase64Url = (text: string): Uint8Array | undefined => decode(text, URL_SAFE);

/** Base64 with padding (RFC 4648, 4). */
export function encodeBase64(bytes: Uint8Array): string {
  const text = encode(bytes, STANDARD);
  return text.padEnd(Math.ceil(text.length / 4) * 4, "=");
}

/** Undefined if the text is not exactly what {@link encodeBase64} writes. */
export function decodeBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0) return undefined;
  return decode(text.replace(/={1,2}$/, ""), STANDARD);
}
