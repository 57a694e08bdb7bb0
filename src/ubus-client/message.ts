/** Messages of the ubus protocol (ubusmsg.h): 8 bytes of header, then one attribute with the message's own attributes in it. */
import { attributesOf, BlobWriter, textOf, viewOf } from "./blob.ts";
import { malformed, UbusError } from "./error.ts";
import type { Frame } from "./frames.ts";

/** At their numbers on the wire. */
export const MESSAGE_TYPES = [
  "hello",
  "status",
  "data",
  "ping",
  "lookup",
  "invoke",
  "add-object",
  "remove-object",
  "subscribe",
  "unsubscribe",
  "notify",
  "monitor",
] as const;
export type MessageType = (typeof MESSAGE_TYPES)[number];

/** Written in the order in which they were put in, which is not the same for everybody who sends such a message. Ids are 0 to 2^32-1. */
export interface Attributes {
  readonly status?: number;
  readonly objectPath?: string;
  readonly objectId?: number;
  readonly method?: string;
  readonly objectType?: number;
  /** A blobmsg table: methods, each with a table of its arguments' types. */
  readonly signature?: Uint8Array;
  /** A blobmsg table. Not looked into: one that is malformed is the matter of who asked for it. */
  readonly data?: Uint8Array;
  readonly target?: number;
  readonly active?: boolean;
  readonly noReply?: boolean;
  readonly subscribers?: readonly number[];
  readonly user?: string;
  readonly group?: string;
  /** Of monitor messages alone, which show those of others. */
  readonly client?: number;
  readonly peer?: number;
  readonly sent?: boolean;
  readonly seq?: number;
  readonly type?: number;
}

export interface Message {
  readonly type: MessageType;
  /** 0 to 65535; an answer has its request's. */
  readonly seq: number;
  /** 0 to 2^32-1. */
  readonly peer: number;
  readonly attributes: Attributes;
}

type AttributeValue = number | string | boolean | Uint8Array | readonly number[];
type Kind = "id" | "text" | "flag" | "bytes" | "ids";
type Table = readonly (readonly [keyof Attributes, Kind] | undefined)[];

const ATTRIBUTES: Table = [
  undefined,
  ["status", "id"],
  ["objectPath", "text"],
  ["objectId", "id"],
  ["method", "text"],
  ["objectType", "id"],
  ["signature", "bytes"],
  ["data", "bytes"],
  ["target", "id"],
  ["active", "flag"],
  ["noReply", "flag"],
  ["subscribers", "ids"],
  ["user", "text"],
  ["group", "text"],
];
const OF_MONITOR: Table = [
  ["client", "id"],
  ["peer", "id"],
  ["sent", "flag"],
  ["seq", "id"],
  ["type", "id"],
  ["data", "bytes"],
];

const HEADER = 8;

export function encodeMessage({ type, seq, peer, attributes }: Message): Uint8Array {
  const table = type === "monitor" ? OF_MONITOR : ATTRIBUTES;
  const writer = new BlobWriter();
  const start = writer.begin(0);
  for (const [name, value] of Object.entries(attributes as Readonly<Record<string, AttributeValue>>)) {
    const id = table.findIndex((entry) => entry?.[0] === name);
    if (id < 0) throw new UbusError("INVALID_ARGUMENT", `a ${type} message has no attribute ${name}`);
    const from = writer.begin(id);
    write(writer, value);
    writer.end(from);
  }
  writer.end(start);
  const blob = writer.finish();
  const bytes = new Uint8Array(HEADER + blob.length);
  bytes.set(blob, HEADER);
  const view = viewOf(bytes);
  view.setUint8(1, MESSAGE_TYPES.indexOf(type));
  view.setUint16(2, seq);
  view.setUint32(4, peer);
  return bytes;
}

function write(writer: BlobWriter, value: AttributeValue): void {
  if (typeof value === "number") writer.uint(4, value);
  else if (typeof value === "boolean") writer.uint(1, value ? 1 : 0);
  else if (typeof value === "string") writer.text(value);
  else if (value instanceof Uint8Array) writer.bytes(value);
  else {
    for (const id of value) {
      const start = writer.begin(0);
      writer.uint(4, id);
      writer.end(start);
    }
  }
}

/** Throws a UbusError, PARSE_ERROR, at a version, a type or a form that is unknown. Attributes that are unknown are passed over, as libubus does. */
export function decodeMessage({ version, type: number, seq, peer, body }: Frame): Message {
  if (version !== 0) throw malformed(`version ${version} of the ubus protocol is unknown`);
  const type = MESSAGE_TYPES[number];
  if (type === undefined) throw malformed(`the message type ${number} is unknown`);
  const table = type === "monitor" ? OF_MONITOR : ATTRIBUTES;
  const found: Partial<Record<keyof Attributes, unknown>> = {};
  for (const { id, payload } of attributesOf(body)) {
    const [name, kind] = table[id] ?? [];
    if (name === undefined || kind === undefined) continue;
    const value = read(kind, payload);
    if (value === undefined) throw malformed(`the attribute ${name} of a ${type} message is no ${kind}`);
    found[name] = value;
  }
  // Each has the form that the tables above give it.
  return { type, seq, peer, attributes: found as Attributes };
}

function read(kind: Kind, payload: Uint8Array): unknown {
  switch (kind) {
    case "id":
      return payload.length === 4 ? viewOf(payload).getUint32(0) : undefined;
    case "flag":
      return payload.length === 1 ? payload[0] !== 0 : undefined;
    case "text":
      return textOf(payload);
    case "bytes":
      return payload.slice();
    case "ids": {
      const ids = [...attributesOf(payload)].map((attribute) => read("id", attribute.payload));
      return ids.includes(undefined) ? undefined : ids;
    }
  }
}
