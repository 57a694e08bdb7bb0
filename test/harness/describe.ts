const MOST = 4000;

/** A value as text that a person can compare with another. */
export function describe(value: unknown): string {
  const text = write(value, []);
  return text.length > MOST ? `${text.slice(0, MOST)}… (${text.length} characters)` : text;
}

function write(value: unknown, above: readonly unknown[]): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return `${String(value)}n`;
  if (typeof value === "function") return `function ${value.name}`;
  if (typeof value !== "object" || value === null) return Object.is(value, -0) ? "-0" : String(value);
  if (above.includes(value)) return "(a circle)";
  const inside = (part: unknown): string => write(part, [...above, value]);
  if (value instanceof RegExp) return String(value);
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  if (value instanceof Set) return `Set {${[...value].map(inside).join(", ")}}`;
  if (value instanceof Map) return `Map {${[...value].map(([key, part]) => `${inside(key)} => ${inside(part)}`).join(", ")}}`;
  if (ArrayBuffer.isView(value) && Symbol.iterator in value) return `[bytes ${Array.from(value as Uint8Array).join(" ")}]`;
  if (Array.isArray(value)) return `[${value.map(inside).join(", ")}]`;
  return `{${Object.entries(value)
    .map(([key, part]) => `${key}: ${inside(part)}`)
    .join(", ")}}`;
}

/** As a YAML scalar on one line. */
export function quoted(text: string): string {
  return JSON.stringify(text);
}
