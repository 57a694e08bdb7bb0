import fc from "fast-check";
import { decodeUtf8, encodeUtf8 } from "../../src/host/polyfill/utf8.ts";
import { test } from "../harness/index.ts";
import { areSame } from "./seam.ts";

// The polyfill is measured by Node's own in test/quickjs/polyfill.test.ts; here an engine's quicker way is measured by the polyfill.

function attempt(decode: () => string): string {
  try {
    return `text ${decode()}`;
  } catch (error) {
    return error instanceof Error ? error.name : "something else";
  }
}

const awkward = fc.constantFrom(
  ...[0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xed, 0xef, 0xf0, 0xf1, 0xf4, 0xf5, 0xff],
  ...[0xbb, 0xbf],
);
const anyBytes = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.array(awkward, { maxLength: 8 }).map((bytes) => Uint8Array.from(bytes)),
  fc.string({ unit: "binary", maxLength: 20 }).map(encodeUtf8),
);
const anyText = fc.array(fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.integer({ min: 0xd7ff, max: 0xe000 })), { maxLength: 20 });

test("bytes are decoded alike by every engine", (t) => {
  fc.assert(
    fc.property(anyBytes, fc.boolean(), (bytes, fatal) => {
      const decoder = new TextDecoder("utf-8", { fatal });
      return attempt(() => decoder.decode(bytes)) === attempt(() => decodeUtf8(bytes, fatal));
    }),
    { numRuns: 1000 },
  );
  t.equal(new TextDecoder().decode(Uint8Array.of(0x41, 0, 0x42)), "A\0B");
});

test("every first and second byte, and what may follow", (t) => {
  const strict = new TextDecoder("utf-8", { fatal: true });
  const wrong: string[] = [];
  for (let pair = 0xc000; pair < 0x10000; pair += 1) {
    const [first, second] = [pair >> 8, pair & 0xff];
    const bytes = Uint8Array.of(first, second, ...(first >= 0xf0 ? [0x80, 0x80] : first >= 0xe0 ? [0x80] : []));
    if (attempt(() => strict.decode(bytes)) !== attempt(() => decodeUtf8(bytes, true))) wrong.push(bytes.join(" "));
  }
  t.same(wrong, []);
});

test("texts are encoded alike by every engine", (t) => {
  fc.assert(
    fc.property(anyText, (units) => {
      const text = String.fromCharCode(...units);
      return areSame(new TextEncoder().encode(text), encodeUtf8(text));
    }),
    { numRuns: 1000 },
  );
  t.equal(new TextEncoder().encode("häuser 🏠").length, 12);
});
