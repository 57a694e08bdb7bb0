import fc from "fast-check";
import { linesOf } from "../../src/control/lines.ts";
import { test } from "../harness/index.ts";

/** The lines, and null for one that was too long. */
async function read(chunks: readonly Uint8Array[]): Promise<readonly (string | null)[]> {
  const lines: (string | null)[] = [];
  // As a socket's: what was handed out may be overwritten by what comes next.
  const input = async function* (): AsyncGenerator<Uint8Array> {
    for (const chunk of chunks) {
      const borrowed = chunk.slice();
      yield await Promise.resolve(borrowed);
      borrowed.fill(0x58);
    }
  };
  for await (const line of linesOf(input())) lines.push(line ?? null);
  return lines;
}

/** The bytes cut at these places. */
function cut(bytes: Uint8Array, places: readonly number[]): readonly Uint8Array[] {
  const sorted = [0, ...[...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b), bytes.length];
  return sorted.slice(1).map((end, index) => bytes.subarray(sorted[index], end));
}

test("lines are the same however the stream is cut, even inside a character", async (t) => {
  const line = fc.string({ unit: "binary" }).map((text) => text.replaceAll("\n", ""));
  await fc.assert(
    fc.asyncProperty(fc.array(line), line, fc.array(fc.nat()), async (lines, rest, places) => {
      const bytes = new TextEncoder().encode(`${lines.map((text) => `${text}\n`).join("")}${rest}`);
      const found = await read(cut(bytes, places));
      return JSON.stringify(found) === JSON.stringify(lines);
    }),
  );
  t.pass("what follows the last newline is none");
});

test("a megabyte is a line, more is none, and nothing after it is read", async (t) => {
  const MEGABYTE = 1024 * 1024;
  const chunks = (size: number): readonly Uint8Array[] =>
    cut(
      new TextEncoder().encode(`first\n${"x".repeat(size)}\nafter\n`),
      Array.from({ length: 40 }, (_, index) => index * 65536),
    );
  const lengths = async (pieces: readonly Uint8Array[]): Promise<readonly (number | undefined)[]> =>
    (await read(pieces)).map((line) => line?.length);
  t.same(await lengths(chunks(MEGABYTE)), [5, MEGABYTE, 5]);
  t.same(await lengths(chunks(MEGABYTE + 1)), [5, undefined], "in pieces");
  t.same(await lengths([new TextEncoder().encode(`first\n${"x".repeat(MEGABYTE + 1)}\nafter\n`)]), [5, undefined], "in one piece");
});
