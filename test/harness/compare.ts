/** How values are compared where tap is not: what tap's tcompare says of plain data, errors, sets and maps. */

/** `loose`: primitive values by `==`. `strict`: types too. `pattern`: at least what is wanted, and a regular expression matches text. */
export type Manner = "loose" | "strict" | "pattern";

type Pairs = readonly (readonly [unknown, unknown])[];

export function agrees(found: unknown, wanted: unknown, manner: Manner): boolean {
  return compare(found, wanted, manner, []);
}

function compare(found: unknown, wanted: unknown, manner: Manner, above: Pairs): boolean {
  if (Object.is(found, wanted) || found === wanted) return true;
  if (manner === "pattern" && fits(found, wanted)) return true;
  if (isObject(found) && isObject(wanted)) {
    // A circle in both of them.
    if (above.some(([one, other]) => one === found && other === wanted)) return true;
    return compareObjects(found, wanted, manner, [...above, [found, wanted]]);
  }
  if (typeof found === "function" || typeof wanted === "function") return false;
  return manner !== "strict" && !isObject(found) && !isObject(wanted) && looselyEqual(found, wanted);
}

/** The language's own `==`. */
function looselyEqual(one: unknown, other: unknown): boolean {
  if ((one ?? undefined) === undefined || (other ?? undefined) === undefined) return (one ?? undefined) === (other ?? undefined);
  if (typeof one === "symbol" || typeof other === "symbol") return false;
  if (typeof one === typeof other) return one === other;
  if (typeof one === "bigint" || typeof other === "bigint") return String(one) === String(other);
  return Number(one) === Number(other);
}

const SCALARS: readonly (readonly [unknown, string])[] = [
  [String, "string"],
  [Boolean, "boolean"],
  [Symbol, "symbol"],
  [BigInt, "bigint"],
  [Function, "function"],
];

/** What a pattern says beyond being like the value. */
function fits(found: unknown, pattern: unknown): boolean {
  if (found === undefined || found === null) return false;
  if (pattern instanceof RegExp) return !(found instanceof RegExp) && pattern.test(textOf(found));
  if (typeof pattern === "string") return typeof found === "string" && pattern !== "" && found.includes(pattern);
  if (typeof pattern !== "function") return false;
  if (pattern === Number) return typeof found === "number" && Number.isFinite(found);
  if (pattern === Array) return Array.isArray(found);
  if (pattern === Object) return typeof found === "object";
  const scalar = SCALARS.find(([constructor]) => constructor === pattern);
  return scalar === undefined ? typeof found === "object" && found instanceof pattern : typeof found === scalar[1];
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : String(value);
}

function compareObjects(found: object, wanted: object, manner: Manner, above: Pairs): boolean {
  if (manner === "strict" && Object.getPrototypeOf(found) !== Object.getPrototypeOf(wanted)) return false;
  if (Array.isArray(found) !== Array.isArray(wanted) || found instanceof Set !== wanted instanceof Set) return false;
  if (found instanceof Map !== wanted instanceof Map || (wanted instanceof Error && !(found instanceof Error))) return false;
  if (found instanceof RegExp && wanted instanceof RegExp) return String(found) === String(wanted);
  if (found instanceof Date && wanted instanceof Date) return found.getTime() === wanted.getTime();
  const same = (one: unknown, other: unknown): boolean => compare(one, other, manner, above);
  if (found instanceof Set && wanted instanceof Set) {
    if (manner !== "pattern" && found.size !== wanted.size) return false;
    return [...wanted].every((other) => [...found].some((one) => same(one, other)));
  }
  if (found instanceof Map && wanted instanceof Map) {
    if (manner !== "pattern" && found.size !== wanted.size) return false;
    return [...wanted].every(([key, other]) => found.has(key) && same(found.get(key), other));
  }
  if (found instanceof Error && wanted instanceof Error && (found.name !== wanted.name || !same(found.message, wanted.message)))
    return false;
  return compareProperties(found, wanted, manner, same);
}

function compareProperties(found: object, wanted: object, manner: Manner, same: (one: unknown, other: unknown) => boolean): boolean {
  const keys = Object.keys(wanted);
  if (manner !== "pattern" && Object.keys(found).length !== keys.length) return false;
  return keys.every((key) => {
    // A pattern may name what an error inherits or hides.
    const there = manner === "pattern" ? key in found || valueOf(wanted, key) === undefined : Object.hasOwn(found, key);
    return there && same(valueOf(found, key), valueOf(wanted, key));
  });
}

function valueOf(object: object, key: string): unknown {
  return Reflect.get(object, key);
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
