import { BlobWriter } from "./blob.ts";
import { UbusError } from "./error.ts";
import { type BlobmsgType, MAX_DEPTH, type NumberType, numberType, TYPES, isTyped, type UbusInput, type UbusInputTable } from "./values.ts";

/**
 * A table as the payload of a DATA attribute; values.ts says what becomes of which value.
 * Throws a UbusError, INVALID_ARGUMENT, at what blobmsg can't hold, is nested more than 32 deep, or larger than a message may be.
 */
export function encodeTable(table: UbusInputTable | ReadonlyMap<string, UbusInput>): Uint8Array {
  const writer = new BlobWriter();
  writeEntries(writer, table, 1);
  return writer.finish();
}

const SIZES: Readonly<Record<NumberType, number>> = { int8: 8, int16: 16, int32: 32, int64: 64, double: 64 };

function refuse(what: string): never {
  throw new UbusError("INVALID_ARGUMENT", `${what} can't be sent on ubus`);
}

function writeEntries(writer: BlobWriter, table: UbusInputTable | ReadonlyMap<string, UbusInput>, depth: number): void {
  const entries = table instanceof Map ? table : Object.entries(table);
  for (const [name, value] of entries as Iterable<readonly [string, UbusInput | undefined]>) {
    if (value !== undefined) writeValue(writer, name, value, depth);
  }
}

function writeValue(writer: BlobWriter, name: string, value: UbusInput, depth: number): void {
  if (depth > MAX_DEPTH) refuse(`tables nested more than ${MAX_DEPTH} deep`);
  switch (typeof value) {
    case "string":
      return field(writer, "string", name, () => writer.text(value));
    case "boolean":
      return writeNumber(writer, name, "int8", value ? 1 : 0);
    case "number":
      return writeNumber(writer, name, numberType(value), value);
    case "bigint":
      return writeNumber(writer, name, "int64", value);
    case "object":
      return writeObject(writer, name, value, depth);
    default:
      return refuse(`a ${typeof value}`);
  }
}

type Composite = Extract<UbusInput, object | null>;

function writeObject(writer: BlobWriter, name: string, value: Composite, depth: number): void {
  if (value === null) return field(writer, "unspec", name, () => undefined);
  if (isTyped(value)) return writeNumber(writer, name, value.type, value.value);
  if (value instanceof Uint8Array) return field(writer, "unspec", name, () => writer.bytes(value));
  if (isArray(value)) {
    return field(writer, "array", name, () => {
      // Holes too are refused, which forEach would pass over.
      for (const item of value) writeValue(writer, "", item, depth + 1);
    });
  }
  return field(writer, "table", name, () => writeEntries(writer, value, depth + 1));
}

/** Array.isArray does not know of readonly ones. */
const isArray = (value: Composite): value is readonly UbusInput[] => Array.isArray(value);

function field(writer: BlobWriter, type: BlobmsgType, name: string, payload: () => void): void {
  const start = writer.begin(TYPES.indexOf(type), true);
  const bytes = new TextEncoder().encode(name);
  if (bytes.length > 0xffff || name.includes("\0")) refuse(`the name ${JSON.stringify(name.slice(0, 40))}`);
  writer.uint(2, bytes.length);
  writer.bytes(bytes);
  writer.uint(1, 0);
  writer.pad();
  payload();
  writer.end(start);
}

function writeNumber(writer: BlobWriter, name: string, type: NumberType, value: number | bigint): void {
  const bytes = new Uint8Array(SIZES[type] / 8);
  const view = new DataView(bytes.buffer);
  if (type === "double") {
    view.setFloat64(0, Number(value));
  } else {
    if (typeof value === "number" && !Number.isInteger(value)) refuse(`${value} as ${type}`);
    const whole = BigInt(value);
    if (BigInt.asIntN(SIZES[type], whole) !== whole) refuse(`${value} as ${type}`);
    for (let index = bytes.length - 1, rest = whole; index >= 0; index--, rest >>= 8n) bytes[index] = Number(rest & 0xffn);
  }
  field(writer, type, name, () => writer.bytes(bytes));
}
