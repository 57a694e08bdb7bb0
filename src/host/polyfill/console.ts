/** console.log and console.error for engines that lack them. */

/** A value as a line of text: not as pretty as Node's, but it loses nothing that a person looks for in a log. */
export function describeValue(value: unknown): string {
  if (typeof value === "string") return value;
  if (value instanceof Error) {
    const stack = value.stack ?? "";
    const head = `${value.name}: ${value.message}`;
    const text = stack.startsWith(head) || stack === "" ? stack || head : `${head}\n${stack.trimEnd()}`;
    return value.cause === undefined ? text : `${text}\ncaused by ${describeValue(value.cause)}`;
  }
  if (typeof value === "object" && value !== null) {
    try {
      return JSON.stringify(value);
    } catch {
      // A cycle, or a BigInt in it.
      return Object.prototype.toString.call(value);
    }
  }
  return typeof value === "bigint" ? `${value}n` : String(value);
}

export interface PlainConsole {
  readonly log: (...values: unknown[]) => void;
  readonly error: (...values: unknown[]) => void;
}

export function makeConsole(out: (text: string) => void, err: (text: string) => void): PlainConsole {
  const line = (values: readonly unknown[]): string => `${values.map(describeValue).join(" ")}\n`;
  return { log: (...values) => out(line(values)), error: (...values) => err(line(values)) };
}
