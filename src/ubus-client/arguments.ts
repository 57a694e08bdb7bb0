import { decodeTable } from "./decode.ts";
import { encodeTable } from "./encode.ts";
import { UbusError } from "./error.ts";
import { type BlobmsgType, INT32_MAX, INT32_MIN, TYPES, type UbusTable, type UbusValue } from "./values.ts";

/** `any` is what the protocol calls unspec; `bool` is what it calls int8. */
export type ArgumentType = Exclude<BlobmsgType, "unspec" | "int8"> | "any" | "bool";
/** The arguments that a method knows. None is required by this alone. */
export type Signature = Readonly<Record<string, ArgumentType>>;
export type Signatures = Readonly<Record<string, Signature>>;

const codeOf = (type: ArgumentType): number => TYPES.indexOf(type === "any" ? "unspec" : type === "bool" ? "int8" : type);

function typeOf(code: UbusValue): ArgumentType {
  const type = typeof code === "number" ? (TYPES[code] ?? "unspec") : "unspec";
  return type === "unspec" ? "any" : type === "int8" ? "bool" : type;
}

/** What ubusd keeps of an object's methods, as it is sent. */
export function encodeSignatures(signatures: Signatures): Uint8Array {
  const codes = Object.entries(signatures).map(
    ([method, signature]) => [method, new Map(Object.entries(signature).map(([name, type]) => [name, codeOf(type)]))] as const,
  );
  return encodeTable(new Map(codes));
}

export function decodeSignatures(bytes: Uint8Array): Signatures {
  const methods = Object.entries(decodeTable(bytes)).map(([method, signature]) => [
    method,
    Object.fromEntries(isTable(signature) ? Object.entries(signature).map(([name, code]) => [name, typeOf(code)]) : []),
  ]);
  return Object.fromEntries(methods) as Signatures;
}

export function isTable(value: UbusValue | undefined): value is UbusTable {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}

/**
 * The arguments of a call that the signature names. Others are left out, as libubus does: rpcd adds some of its own. Throws a UbusError,
 * INVALID_ARGUMENT, at one of another type: ubusd itself checks nothing.
 */
export function checkArguments(signature: Signature, args: UbusTable): UbusTable {
  const known = Object.entries(args).filter(([name]) => Object.hasOwn(signature, name));
  for (const [name, value] of known) {
    const type = signature[name] ?? "any";
    if (!fits(type, value)) throw new UbusError("INVALID_ARGUMENT", `the argument ${name} must be of type ${type}`);
  }
  return Object.fromEntries(known);
}

function fits(type: ArgumentType, value: UbusValue): boolean {
  const whole = (least: number, most: number): boolean => Number.isInteger(value) && Number(value) >= least && Number(value) <= most;
  switch (type) {
    case "any":
      return true;
    case "array":
      return Array.isArray(value);
    case "table":
      return isTable(value);
    case "string":
      return typeof value === "string";
    case "bool":
      return typeof value === "boolean";
    case "double":
      return typeof value === "number";
    case "int16":
      return whole(-0x8000, 0x7fff);
    case "int32":
      return whole(INT32_MIN, INT32_MAX);
    case "int64":
      return typeof value === "bigint" || Number.isSafeInteger(value);
  }
}
