import {
  type Attributes,
  decodeMessage,
  encodeMessage,
  type Frame,
  FrameReader,
  type Message,
  UbusError,
} from "../../src/ubus-client/index.ts";
import { test } from "../harness/index.ts";
import { mutated, randomOf } from "./mutate.ts";
import { lines, messages, wholeOf } from "./recorded.ts";

const SEED = Math.floor(Math.random() * 2 ** 32);
const hex = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const unhex = (text: string): Uint8Array =>
  Uint8Array.from(text.replaceAll(" ", "").match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
const framesOf = (...pieces: readonly Uint8Array[]): Frame[] => {
  const reader = new FrameReader();
  return pieces.flatMap((piece) => [...reader.push(piece)]);
};
const joined = (pieces: readonly Uint8Array[]): Uint8Array => Uint8Array.from(pieces.flatMap((piece) => [...piece]));

test("recorded messages decode, and encode to the same bytes", (t) => {
  t.ok(messages.length >= 430, `${messages.length} messages`);
  for (const { bytes, note } of messages) {
    const [frame] = framesOf(bytes);
    if (frame === undefined) throw new Error(note);
    t.equal(hex(encodeMessage(decodeMessage(frame))), hex(bytes), note.slice(0, 60));
  }
});

test("recorded messages are what their notes say", (t) => {
  for (const { bytes, note } of messages) {
    if (note.startsWith("MONITOR")) continue;
    const [, type, seq, peer, rest = ""] = /^(\w+) seq=(\d+) peer=([0-9a-f]{8}) ?(.*)$/s.exec(note) ?? [];
    const [frame] = framesOf(bytes);
    if (frame === undefined) throw new Error(note);
    const { attributes, ...header } = decodeMessage(frame);
    t.strictSame(header, { type: type?.toLowerCase().replace("_", "-"), seq: Number(seq), peer: Number.parseInt(peer ?? "", 16) });
    const shown = {
      OBJID: attributes.objectId?.toString(16).padStart(8, "0"),
      OBJTYPE: attributes.objectType?.toString(16).padStart(8, "0"),
      TARGET: attributes.target?.toString(16).padStart(8, "0"),
      OBJPATH: attributes.objectPath,
      METHOD: attributes.method,
      USER: attributes.user,
      GROUP: attributes.group,
    };
    for (const [name, value] of Object.entries(shown)) t.equal(value, new RegExp(`(?:^| )${name}=(\\S*)`).exec(rest)?.[1], name);
    t.equal(attributes.status, /(?:^| )STATUS=(\d+)/.exec(rest)?.[1] === undefined ? undefined : Number(/STATUS=(\d+)/.exec(rest)?.[1]));
    t.equal(attributes.active, /ACTIVE=(\d)/.exec(rest)?.[1] === undefined ? undefined : rest.includes("ACTIVE=1"));
    t.equal(attributes.noReply, rest.includes("NO_REPLY=1") ? true : undefined);
    const subscribers = /SUBSCRIBERS=\[(.*?)\]/.exec(rest)?.[1]?.split(",");
    t.same(
      attributes.subscribers?.map((id) => id.toString(16).padStart(8, "0")),
      subscribers,
    );
  }
});

test("a monitor's messages show those of others", (t) => {
  const [first] = messages.filter(({ note }) => note.startsWith("MONITOR seq=6"));
  const [frame] = framesOf(first?.bytes ?? new Uint8Array());
  const { attributes } = decodeMessage(frame ?? { version: 0, type: 0, seq: 0, peer: 0, body: new Uint8Array() });
  t.match(attributes, { client: 0x92910dde, peer: 0x39376383, seq: 2, type: 5, sent: false });
});

test("messages of which the beginning was recorded encode to such", (t) => {
  const cut = lines.filter(({ total }) => total !== undefined);
  t.ok(cut.length >= 8, `${cut.length} messages`);
  for (const line of cut) {
    const whole = wholeOf(line);
    t.equal(whole.length, line.total);
    t.equal(hex(whole.slice(0, line.bytes.length)), hex(line.bytes));
  }
});

test("messages come out the same in pieces of any size", (t) => {
  const all = messages.slice(0, 120).map(({ bytes }) => bytes);
  const stream = joined(all);
  const wanted = framesOf(stream);
  t.equal(wanted.length, all.length);
  for (const size of [1, 2, 3, 7, 8, 11, 12, 13, 64, 1000]) {
    const pieces = Array.from({ length: Math.ceil(stream.length / size) }, (_, index) => stream.slice(index * size, (index + 1) * size));
    t.same(framesOf(...pieces), wanted, `pieces of ${size}`);
  }
});

test("what is no message ends it all, in a sentence", (t) => {
  t.throws(() => framesOf(unhex("00030001 00000000 00000003")), {
    status: "PARSE_ERROR",
    message: "a message of 3 bytes is none: 4 to 1048576 are",
  });
  t.throws(() => framesOf(unhex("00030001 00000000 00100001")), { message: "a message of 1048577 bytes is none: 4 to 1048576 are" });
  t.equal(framesOf(unhex("00030001 00000000 00100000"), new Uint8Array(1024 * 1024 - 4)).length, 1, "the largest");
});

test("what the header promises takes no memory before it comes", (t) => {
  const readers = Array.from({ length: 3000 }, () => {
    const reader = new FrameReader();
    t.equal([...reader.push(unhex("00030001 00000000 00100000"))].length, 0);
    return reader;
  });
  t.equal(readers.length, 3000, "3 GB were promised");
});

const decode = (bytes: string): Message =>
  decodeMessage(framesOf(unhex(bytes))[0] ?? { version: 0, type: 99, seq: 0, peer: 0, body: new Uint8Array() });

const REFUSED: readonly (readonly [string, string, string])[] = [
  ["a version that is unknown", "01030001 00000000 00000004", "version 1 of the ubus protocol is unknown"],
  ["a type that is unknown", "000c0001 00000000 00000004", "the message type 12 is unknown"],
  ["a number of 2 bytes", "00010001 00000000 0000000c 01000006 00000000", "the attribute status of a status message is no id"],
  ["an open text", "00040001 00000000 0000000c 02000008 61616161", "the attribute objectPath of a lookup message is no text"],
  ["a flag of 4 bytes", "000a0001 00000000 0000000c 09000008 00000001", "the attribute active of a notify message is no flag"],
  [
    "a list of other things",
    "00010001 00000000 00000010 0b00000c 00000005 00000000",
    "the attribute subscribers of a status message is no ids",
  ],
  [
    "an attribute beyond the end",
    "00010001 00000000 0000000c 01000009 00000000",
    "an attribute of 9 bytes can't be in the 8 bytes that are left",
  ],
];

for (const [name, bytes, wanted] of REFUSED) {
  test(`refused: ${name}`, (t) => {
    t.throws(() => decode(bytes), { name: "UbusError", status: "PARSE_ERROR", message: wanted });
  });
}

test("attributes that are unknown are passed over", (t) => {
  t.strictSame(decode("00010001 00000000 00000014 0e000008 00000000 01000008 00000004").attributes, { status: 4 });
});

test("an attribute that a message has not is not sent", (t) => {
  const attributes = { colour: "red" } as Attributes;
  t.throws(() => encodeMessage({ type: "lookup", seq: 1, peer: 0, attributes }), { message: "a lookup message has no attribute colour" });
});

test(`100 000 mutated streams: no crash, no hang, no other error than its own (seed ${SEED})`, (t) => {
  const random = randomOf(SEED);
  const started = Date.now();
  const pool = messages.map(({ bytes }) => bytes).filter(({ length }) => length < 200);
  let decoded = 0;
  for (let count = 0; count < 100_000; count++) {
    const stream = mutated(joined([pool[random(pool.length)] ?? new Uint8Array(), pool[random(pool.length)] ?? new Uint8Array()]), random);
    const cut = random(stream.length + 1);
    const reader = new FrameReader();
    try {
      for (const piece of [stream.slice(0, cut), stream.slice(cut)]) {
        for (const frame of reader.push(piece)) {
          const message = decodeMessage(frame);
          decoded++;
          const again = encodeMessage(message);
          const [second] = framesOf(again);
          if (second === undefined || hex(encodeMessage(decodeMessage(second))) !== hex(again)) t.fail(hex(stream));
        }
      }
    } catch (error) {
      if (!(error instanceof UbusError) || error.status !== "PARSE_ERROR") t.fail(`${String(error)}: ${hex(stream)}`);
    }
  }
  t.comment(`${decoded} decoded, in ${Date.now() - started} ms`);
  t.ok(decoded > 20_000, `a good part of them is decoded: ${decoded}`);
});
