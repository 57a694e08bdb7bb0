import { type Attribute, attributesOf, padded, textOf, viewOf } from "./blob.ts";
import { malformed } from "./error.ts";
import {
  type BlobmsgType,
  type ExactTable,
  type ExactValue,
  MAX_DEPTH,
  numberType,
  TYPES,
  typed,
  type UbusTable,
  type UbusValue,
} from "./values.ts";

/** The payload of a DATA attribute as a table. Throws a UbusError, PARSE_ERROR. */
export function decodeTable(bytes: Uint8Array): UbusTable {
  // Not by assignment: an entry may be called __proto__.
  return Object.fromEntries(entries<UbusValue>(bytes, PLAIN, 1));
}

/** The same, with all that is needed to encode the same bytes again. */
export function decodeExactTable(bytes: Uint8Array): ExactTable {
  return entries<ExactValue>(bytes, EXACT, 1);
}

/** How values are shown; everything else of them is the same. */
interface Showing<T> {
  readonly number: (type: "int8" | "int16" | "int32" | "double", value: number) => T;
  readonly int64: (value: bigint) => T;
  readonly array: (items: readonly T[]) => T;
  readonly table: (entries: ReadonlyMap<string, T>) => T;
  readonly other: (value: null | string | Uint8Array) => T;
}

const PLAIN: Showing<UbusValue> = {
  number: (type, value) => (type === "int8" ? value !== 0 : value),
  int64: (value) => (Number.isSafeInteger(Number(value)) ? Number(value) : value),
  array: (items) => items,
  table: (found) => Object.fromEntries(found),
  other: (value) => value,
};

const EXACT: Showing<ExactValue> = {
  number: (type, value) => {
    if (type === "int8" && (value === 0 || value === 1)) return value === 1;
    return numberType(value) === type ? value : typed(type, value);
  },
  int64: (value) => value,
  array: (items) => items,
  table: (found) => found,
  other: (value) => value,
};

function entries<T>(bytes: Uint8Array, show: Showing<T>, depth: number): ReadonlyMap<string, T> {
  const found = new Map<string, T>();
  for (const attribute of attributesOf(bytes)) {
    const { name, data } = split(attribute);
    if (name === undefined) throw malformed("an entry of a table has no name");
    const value = valueOf(attribute, data, show, depth);
    if (!found.has(name)) found.set(name, value);
  }
  return found;
}

function items<T>(bytes: Uint8Array, show: Showing<T>, depth: number): readonly T[] {
  return [...attributesOf(bytes)].map((attribute) => valueOf(attribute, split(attribute).data, show, depth));
}

/** Name: its length in 2 bytes, itself, a NUL, zeros up to a multiple of 4. */
function split({ named, payload }: Attribute): { readonly name?: string; readonly data: Uint8Array } {
  if (!named) return { data: payload };
  const length = payload.length >= 2 ? viewOf(payload).getUint16(0) : 0;
  const name = textOf(payload.subarray(2, 3 + length));
  const start = padded(3 + length);
  if (name === undefined || start > payload.length || payload[2 + length] !== 0) throw malformed("the name of a blobmsg value is cut off");
  return { name, data: payload.subarray(start) };
}

const LENGTHS: Partial<Record<BlobmsgType, number>> = { int8: 1, int16: 2, int32: 4, int64: 8, double: 8 };

function valueOf<T>({ id }: Attribute, data: Uint8Array, show: Showing<T>, depth: number): T {
  const type = TYPES[id];
  if (type === undefined) throw malformed(`the blobmsg type ${id} is unknown`);
  if (depth > MAX_DEPTH) throw malformed(`blobmsg tables are nested more than ${MAX_DEPTH} deep`);
  if ((LENGTHS[type] ?? data.length) !== data.length) throw malformed(`a blobmsg ${type} of ${data.length} bytes`);
  const view = viewOf(data);
  switch (type) {
    case "unspec":
      return show.other(data.length === 0 ? null : data.slice());
    case "string": {
      const text = textOf(data);
      if (text === undefined) throw malformed("a blobmsg string without a NUL at its end");
      return show.other(text);
    }
    case "array":
      return show.array(items(data, show, depth + 1));
    case "table":
      return show.table(entries(data, show, depth + 1));
    case "int64":
      return show.int64(view.getBigInt64(0));
    case "int32":
      return show.number(type, view.getInt32(0));
    case "int16":
      return show.number(type, view.getInt16(0));
    case "int8":
      return show.number(type, view.getInt8(0));
    case "double":
      return show.number(type, view.getFloat64(0));
  }
}
