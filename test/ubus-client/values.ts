import fc from "fast-check";
import { type ExactTable, type ExactValue, typed } from "../../src/ubus-client/index.ts";

const whole = (bits: number): fc.Arbitrary<number> => fc.integer({ min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 });
const text = fc.string({ unit: "grapheme", maxLength: 12 }).map((raw) => raw.replaceAll("\0", ""));

const isPlainDouble = (value: number): boolean => !Number.isSafeInteger(value) || Object.is(value, -0);

/** Values as they are read exactly. */
const scalar: fc.Arbitrary<ExactValue> = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  whole(32),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  text,
  whole(8).map((value) => (value === 0 || value === 1 ? value === 1 : typed("int8", value))),
  whole(16).map((value) => typed("int16", value)),
  fc.double({ noNaN: true }).map((value) => (isPlainDouble(value) ? value : typed("double", value))),
  fc.uint8Array({ minLength: 1, maxLength: 9 }),
);

export const table: fc.Arbitrary<ExactTable> = fc.letrec<{ value: ExactValue; table: ExactTable }>((tie) => ({
  value: fc.oneof({ depthSize: "small", withCrossShrink: true }, scalar, tie("table"), fc.array(tie("value"), { maxLength: 4 })),
  table: fc.array(fc.tuple(text, tie("value")), { maxLength: 5 }).map((entries) => new Map([...entries].reverse())),
})).table;
