import fc from "fast-check";
import {
  decodeExactTable,
  decodeMessage,
  decodeTable,
  encodeTable,
  type Frame,
  FrameReader,
  typed,
  UbusError,
  type UbusInputTable,
  type UbusTable,
} from "../../src/ubus-client/index.ts";
import { test } from "../harness/index.ts";
import { mutated, randomOf } from "./mutate.ts";
import { messages } from "./recorded.ts";
import { table } from "./values.ts";

const SEED = Math.floor(Math.random() * 2 ** 32);
const hex = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const unhex = (text: string): Uint8Array =>
  Uint8Array.from(text.replaceAll(" ", "").match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
const frameOf = (bytes: Uint8Array): Frame => {
  const [frame] = [...new FrameReader().push(bytes)];
  if (frame === undefined) throw new Error("no message");
  return frame;
};

/** Of all recorded messages, once each: what they carry. */
const payloads = [
  ...new Map(
    messages.flatMap(({ bytes, note }) => {
      if (note.startsWith("MONITOR")) return [];
      const { data, signature } = decodeMessage(frameOf(bytes)).attributes;
      return [data, signature].flatMap((payload) => (payload === undefined ? [] : [[hex(payload), payload] as const]));
    }),
  ).values(),
];
/** Payloads that are no tables, and what is said of them. */
const NO_TABLES: ReadonlyMap<string, string> = new Map([
  // Sent on purpose: ubusd forwards it as it is.
  ["01020304", "an attribute of 131844 bytes can't be in the 4 bytes that are left"],
  // `ubus monitor` sends its own attributes where a table should be.
  ["03000008000000030400000861646400", "an entry of a table has no name"],
]);
const tables = payloads.filter((payload) => !NO_TABLES.has(hex(payload)));

test("recorded payloads decode, and encode to the same bytes", (t) => {
  t.ok(tables.length >= 25 && tables.length === payloads.length - NO_TABLES.size, `${tables.length} payloads`);
  for (const payload of tables) t.equal(hex(encodeTable(decodeExactTable(payload))), hex(payload));
  for (const [bytes, message] of NO_TABLES) t.throws(() => decodeTable(unhex(bytes)), { status: "PARSE_ERROR", message });
});

test("every type, as the real ubus sent it", (t) => {
  const all = tables.map((payload) => decodeTable(payload)).filter((found) => "etab" in found);
  t.ok(all.length > 0);
  for (const found of all) {
    t.strictSame(found, {
      str: "héllo",
      estr: "",
      bool: true,
      false: false,
      i8: true,
      i16: 4660,
      i16n: -2,
      i32: 305419896,
      i32n: -1,
      i64: 1234605616436508552n,
      i64n: -3,
      dbl: 1.5,
      dbln: -0.1,
      arr: ["a", 7, { in: true }],
      earr: [],
      tab: { x: "y", nest: { z: 1 } },
      etab: {},
      null: null,
    });
  }
});

const WRITTEN: readonly (readonly [string, UbusInputTable, string])[] = [
  ["a whole number is an int32", { a: 2 ** 31 - 1 }, "8500000c 00016100 7fffffff"],
  ["the least of them", { a: -(2 ** 31) }, "8500000c 00016100 80000000"],
  ["a larger one is an int64", { a: 2 ** 31 }, "84000010 00016100 0000000080000000"],
  ["2^53 - 1 is the last of those", { a: -(2 ** 53 - 1) }, "84000010 00016100 ffe0000000000001"],
  ["2^53 is a double", { a: 2 ** 53 }, "88000010 00016100 4340000000000000"],
  ["half", { a: 0.5 }, "88000010 00016100 3fe0000000000000"],
  ["minus zero", { a: -0 }, "88000010 00016100 8000000000000000"],
  ["infinity", { a: Infinity }, "88000010 00016100 7ff0000000000000"],
  ["a bigint is an int64", { a: -1n }, "84000010 00016100 ffffffffffffffff"],
  ["a double on purpose", { a: typed("double", 1) }, "88000010 00016100 3ff0000000000000"],
  ["an int16 on purpose", { a: typed("int16", -2) }, "8600000a 00016100 fffe 0000"],
  ["an int8 on purpose", { a: typed("int8", 127n) }, "87000009 00016100 7f 000000"],
  ["a boolean", { a: true }, "87000009 00016100 01 000000"],
  ["nothing", { a: null }, "80000008 00016100"],
  ["bytes", { a: Uint8Array.of(1, 2) }, "8000000a 00016100 0102 0000"],
  ["text", { a: "ü" }, "8300000b 00016100 c3bc00 00"],
  ["a longer name", { abcd: "" }, "8300000d 0004616263640000 00 000000"],
  ["no name", { "": [] }, "81000008 00000000"],
  ["a list", { a: [1, "b"] }, "81000020 00016100 8500000c 00000000 00000001 8300000a 00000000 6200 0000"],
  ["a table, undefined left out", { a: { b: null, c: undefined } }, "82000010 00016100 80000008 00016200"],
  ["a map", { a: new Map([["1", 1]]) }, "82000014 00016100 8500000c 00013100 00000001"],
];

for (const [name, value, wanted] of WRITTEN) {
  test(`written: ${name}`, (t) => {
    t.equal(hex(encodeTable(value)), wanted.replaceAll(" ", ""));
  });
}

const nested = (depth: number): UbusInputTable => (depth === 1 ? { a: 1 } : { a: nested(depth - 1) });
const UNWRITABLE: readonly (readonly [string, unknown, string])[] = [
  ["NUL in a text", "a\0b", 'a text on ubus can\'t hold a NUL: "a\\u0000b"'],
  ["a bigint of 65 bits", 2n ** 63n, "9223372036854775808 as int64 can't be sent on ubus"],
  ["an int16 too large", typed("int16", 32768), "32768 as int16 can't be sent on ubus"],
  ["half an int32", typed("int32", 0.5), "0.5 as int32 can't be sent on ubus"],
  ["a function", () => 1, "a function can't be sent on ubus"],
  ["a hole", [undefined], "a undefined can't be sent on ubus"],
  ["33 tables in each other", nested(32), "tables nested more than 32 deep can't be sent on ubus"],
  ["more than a message holds", "x".repeat(1024 * 1024), "a message on ubus is at most 1048576 bytes"],
];

for (const [name, value, wanted] of UNWRITABLE) {
  test(`not written: ${name}`, (t) => {
    t.throws(() => encodeTable({ value } as UbusInputTable), { name: "UbusError", status: "INVALID_ARGUMENT", message: wanted });
  });
}

test("not written: names that blobmsg can't hold", (t) => {
  t.throws(() => encodeTable({ "a\0": 1 }), { status: "INVALID_ARGUMENT", message: 'the name "a\\u0000" can\'t be sent on ubus' });
  t.throws(() => encodeTable({ ["n".repeat(65_536)]: 1 }), { status: "INVALID_ARGUMENT", message: /^the name "n{40}" can't/ });
});

const REFUSED: readonly (readonly [string, string, string])[] = [
  ["half a head", "8500", "an attribute of 0 bytes can't be in the 2 bytes that are left"],
  ["a length below its own head", "85000003 00016100", "an attribute of 3 bytes can't be in the 8 bytes that are left"],
  ["a length beyond the end", "8500000c 00016100", "an attribute of 12 bytes can't be in the 8 bytes that are left"],
  ["padding beyond the end", "87000009 00016100 01", "an attribute of 9 bytes can't be in the 9 bytes that are left"],
  ["an unknown type", "8900000c 00016100 00000001", "the blobmsg type 9 is unknown"],
  ["a name longer than its value", "8500000c 00ff6100 00000001", "the name of a blobmsg value is cut off"],
  ["a name without its end", "8500000c 00016161 00000001", "the name of a blobmsg value is cut off"],
  ["an entry without a name", "05000008 00000001", "an entry of a table has no name"],
  ["a short int32", "8500000a 00016100 0001 0000", "a blobmsg int32 of 2 bytes"],
  ["a long int8", "8700000a 00016100 0001 0000", "a blobmsg int8 of 2 bytes"],
  ["a short double", "8800000c 00016100 00000001", "a blobmsg double of 4 bytes"],
  ["an open string", "8300000a 00016100 6161 0000", "a blobmsg string without a NUL at its end"],
  ["an empty string", "83000008 00016100", "a blobmsg string without a NUL at its end"],
];

for (const [name, bytes, wanted] of REFUSED) {
  test(`refused: ${name}`, (t) => {
    t.throws(() => decodeTable(unhex(bytes)), { name: "UbusError", status: "PARSE_ERROR", message: wanted });
  });
}

test("refused: tables nested beyond the limit, even 100 000 deep", (t) => {
  const deepest = encodeTable(nested(32 - 1));
  t.equal(hex(encodeTable(decodeExactTable(deepest))), hex(deepest));
  const deep = new Uint8Array(800_000);
  const view = new DataView(deep.buffer);
  for (let at = 0; at < deep.length; at += 8) view.setUint32(at, 0x82000000 + deep.length - at);
  t.throws(() => decodeTable(deep), { status: "PARSE_ERROR", message: "blobmsg tables are nested more than 32 deep" });
});

test("read as C programs read it: up to the first NUL, and the first of two entries with one name", (t) => {
  t.strictSame(decodeTable(unhex("8300000c 00016100 61006200 8300000a 00016100 6300 0000")), { a: "a" });
  t.strictSame(decodeTable(unhex("0000000081000010 00016100 05000008 00000007".slice(8))), { a: [7] }, "items without a name");
});

test("an entry called __proto__ is one like any other", (t) => {
  const found: UbusTable = decodeTable(encodeTable(new Map([["__proto__", { polluted: true }]])));
  t.same(Object.keys(found), ["__proto__"]);
  t.equal(Object.getPrototypeOf(found), Object.prototype);
});

test(`whatever is written is read back the same (seed ${SEED})`, (t) => {
  fc.assert(
    fc.property(table, (wanted) => {
      const bytes = encodeTable(wanted);
      return (
        bytes.length % 4 === 0 &&
        hex(encodeTable(decodeExactTable(bytes))) === hex(bytes) &&
        fc.stringify(decodeExactTable(bytes)) === fc.stringify(wanted)
      );
    }),
    { seed: SEED, numRuns: 500 },
  );
  t.pass();
});

test(`plain values survive too (seed ${SEED})`, (t) => {
  const plain = fc.dictionary(
    fc.stringMatching(/^[a-z_]{0,8}$/),
    fc.jsonValue({ maxDepth: 4 }).filter((value) => !JSON.stringify(value).includes("\\u0000")),
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(plain, (wanted) => {
      const found = decodeTable(encodeTable(wanted));
      return fc.stringify(found) === fc.stringify(wanted);
    }),
    { seed: SEED, numRuns: 500 },
  );
  t.pass();
});

test(`100 000 mutated payloads: no crash, no hang, and what is read is written and read the same (seed ${SEED})`, (t) => {
  const random = randomOf(SEED);
  const started = Date.now();
  const pool = payloads.filter(({ length }) => length < 500);
  let read = 0;
  for (let count = 0; count < 100_000; count++) {
    const bytes = mutated(pool[random(pool.length)] ?? new Uint8Array(), random);
    try {
      const again = encodeTable(decodeExactTable(bytes));
      read++;
      if (hex(encodeTable(decodeExactTable(again))) !== hex(again)) t.fail(hex(bytes));
      decodeTable(bytes);
    } catch (error) {
      if (!(error instanceof UbusError) || error.status !== "PARSE_ERROR") t.fail(`${String(error)}: ${hex(bytes)}`);
    }
  }
  t.comment(`${read} read, in ${Date.now() - started} ms`);
  t.ok(read > 5_000, `a good part of them is read: ${read}`);
});
