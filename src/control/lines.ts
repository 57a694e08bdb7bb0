/** A line longer than this is no message of the control socket (bytes). */
const LIMIT = 1024 * 1024;

/** The lines of a stream of UTF-8, without their newlines; what follows the last newline is dropped. Undefined, and the end: too long a line. */
export async function* linesOf(input: AsyncIterable<Uint8Array>): AsyncGenerator<string | undefined> {
  let pending: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of input) {
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0 && size + end - start <= LIMIT; end = chunk.indexOf(10, start)) {
      yield decode([...pending, chunk.subarray(start, end)]);
      pending = [];
      size = 0;
      start = end + 1;
    }
    pending.push(chunk.slice(start));
    size += chunk.length - start;
    if (size > LIMIT) {
      yield undefined;
      return;
    }
  }
}

/** Joined first: a character may lie across two chunks. */
function decode(chunks: readonly Uint8Array[]): string {
  const whole = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return new TextDecoder().decode(whole);
}
