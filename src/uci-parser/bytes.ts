const CHUNK = 4096;

/** Bytes as a string, one UTF-16 unit a byte. */
export function bytesToText(bytes: Uint8Array): string {
  let text = "";
  for (let start = 0; start < bytes.length; start += CHUNK) text += String.fromCharCode(...bytes.subarray(start, start + CHUNK));
  return text;
}

/** The reverse of {@link bytesToText}. Throws a RangeError at a unit that is no byte. */
export function textToBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0xff) throw new RangeError(`the text must hold bytes alone, 0 to 255: unit ${i} is ${unit}`);
    bytes[i] = unit;
  }
  return bytes;
}
