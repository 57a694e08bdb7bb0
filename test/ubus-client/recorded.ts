import { decodeMessage, encodeMessage, encodeTable, FrameReader } from "../../src/ubus-client/index.ts";
import acl from "./recorded/acl.jsonl" with { type: "text" };
import basic from "./recorded/basic.jsonl" with { type: "text" };
import limits from "./recorded/limits_errors.jsonl" with { type: "text" };
import notifyEvents from "./recorded/notify_events.jsonl" with { type: "text" };
import reconnect from "./recorded/reconnect.jsonl" with { type: "text" };

/**
 * What clients and the real ubusd (of 2025-12-02) said to each other. Order is exact within one `conn` and direction, and nearly so
 * across them.
 */
export interface RecordedLine {
  readonly case: string;
  /** Whose connection; `-` for what happened to ubusd itself. */
  readonly conn: string;
  readonly dir: "c2s" | "s2c" | "-";
  /** One whole message, or its first 64 bytes; none where something else happened, which the note says. */
  readonly bytes: Uint8Array;
  readonly note: string;
  /** Of a message of which only the beginning was kept. */
  readonly total?: number;
}

interface Line {
  readonly case: string;
  readonly conn: string;
  readonly dir: "c2s" | "s2c" | "-";
  readonly hex: string;
  readonly note: string;
  readonly total_bytes?: number;
}

const parse = (text: string): readonly RecordedLine[] =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => {
      const { hex, total_bytes: total, ...rest } = JSON.parse(line) as Line;
      const bytes = Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
      return { ...rest, bytes, ...(total === undefined ? {} : { total }) };
    });

export const recordings: Readonly<Record<string, readonly RecordedLine[]>> = {
  basic: parse(basic),
  "notify and events": parse(notifyEvents),
  "limits and errors": parse(limits),
  acl: parse(acl),
  reconnect: parse(reconnect),
};

export const lines: readonly RecordedLine[] = Object.values(recordings).flat();

/** Sent on purpose to see what ubusd does, and not of the protocol. */
const isOdd = ({ case: name, note }: RecordedLine): boolean =>
  note === "malformed" ||
  note.startsWith("type") ||
  (name === "nonzero_version" && !note.startsWith("HELLO") && !note.startsWith("STATUS"));

/** Messages that were kept whole, and are of the protocol. */
export const messages = lines.filter((line) => line.bytes.length > 0 && line.total === undefined && !isOdd(line));

/** The name's length in 2 bytes, `str`, a NUL, zeros up to a multiple of 4. */
const HEADER_OF_STR = 8;

/** The whole of a message. Those of which only the beginning was kept have one long string of x; its length is in the beginning. */
export function wholeOf({ bytes, total, note }: RecordedLine): Uint8Array {
  if (total === undefined) return bytes;
  const filled = new Uint8Array(total).fill(0x78);
  filled.set(bytes);
  const [frame] = new FrameReader().push(filled);
  if (frame === undefined) throw new Error(note);
  const message = decodeMessage(frame);
  const { data } = message.attributes;
  if (data === undefined) throw new Error(note);
  const length = (new DataView(data.buffer).getUint32(0) & 0xffffff) - 4 - HEADER_OF_STR - 1;
  return encodeMessage({ ...message, attributes: { ...message.attributes, data: encodeTable({ str: "x".repeat(length) }) } });
}
