/**
 * What blobmsg carries, as JavaScript values. Two ways to read it, one way to write it:
 *
 * | on the wire | read | read exactly | written for |
 * | --- | --- | --- | --- |
 * | string | string | string | string without NUL |
 * | int32 | number | number | whole number within int32 |
 * | int64 | number within ±(2^53-1), else bigint | bigint | bigint; whole number beyond int32 within ±(2^53-1) |
 * | double | number | typed if written plainly it would be an integer, else number | every other number, -0 included |
 * | int16 | number | typed | typed |
 * | int8 (bool) | boolean, true unless 0 | boolean if 0 or 1, else typed | boolean |
 * | unspec | null; its bytes if it has any | the same | null; Uint8Array |
 * | array | array | array | array |
 * | table | object | Map | object (what is undefined is left out), Map |
 *
 * Reading exactly keeps what is needed to write the same bytes again. Text is UTF-8; a string or a name ends at its first NUL, as for
 * every program in C. Of entries with the same name the first counts, as for libubox.
 */
export type UbusValue = null | boolean | number | bigint | string | Uint8Array | readonly UbusValue[] | UbusTable;

/** Names in the order of the wire, but those that are whole numbers first, as in all JavaScript objects. */
export interface UbusTable {
  readonly [name: string]: UbusValue;
}

export type ExactValue = null | boolean | number | bigint | string | Uint8Array | TypedNumber | readonly ExactValue[] | ExactTable;
export type ExactTable = ReadonlyMap<string, ExactValue>;

/** What can be written: whatever was read, and objects with undefined in them. */
export type UbusInput =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | TypedNumber
  | readonly UbusInput[]
  | ReadonlyMap<string, UbusInput>
  | UbusInputTable;

export interface UbusInputTable {
  readonly [name: string]: UbusInput | undefined;
}

export type NumberType = "int8" | "int16" | "int32" | "int64" | "double";

/** A number with the type that it has, or is to have, on the wire. Made by {@link typed}: an object that looks like one is a table. */
export interface TypedNumber {
  readonly type: NumberType;
  readonly value: number | bigint;
}

class Typed implements TypedNumber {
  readonly type: NumberType;
  readonly value: number | bigint;
  constructor(type: NumberType, value: number | bigint) {
    this.type = type;
    this.value = value;
  }
}

/** A number to be written with a type that it would not get by itself: `typed("double", 3)`. */
export const typed = (type: NumberType, value: number | bigint): TypedNumber => new Typed(type, value);
export const isTyped = (value: unknown): value is TypedNumber => value instanceof Typed;

/** Types at their numbers on the wire (blobmsg.h, enum blobmsg_type). */
export const TYPES = ["unspec", "array", "table", "string", "int64", "int32", "int16", "int8", "double"] as const;
export type BlobmsgType = (typeof TYPES)[number];

/** More tables and arrays in each other than these are refused: json-c, by which ubus and rpcd read JSON, has the same limit. */
export const MAX_DEPTH = 32;

export const INT32_MIN = -(2 ** 31);
export const INT32_MAX = 2 ** 31 - 1;

/** The type that a number gets by itself. */
export function numberType(value: number): "int32" | "int64" | "double" {
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) return "double";
  return value >= INT32_MIN && value <= INT32_MAX ? "int32" : "int64";
}
