import { MAX_GATEWAY, MIN_GATEWAY } from "./numbers.ts";

export type Assignment =
  | {
      readonly ok: true;
      /** Every gateway's number, 1 to 15. */
      readonly numbers: ReadonlyMap<string, number>;
      /** To be kept in /etc/binder/numbers: `NAME NUMBER` a line, by number. */
      readonly text: string;
    }
  | {
      readonly ok: false;
      /** The gateways that are too many. */
      readonly without: readonly string[];
    };

/**
 * Gives every gateway a number. One that has a number in the kept text keeps it; the others get the lowest free ones in their order.
 * Gateways that are no more give theirs back. Lines that are no `NAME NUMBER`, or repeat a name or number, count as absent.
 */
export function assignNumbers(kept: string, gateways: readonly string[]): Assignment {
  const numbers = new Map<string, number>();
  const taken = new Set<number>();
  const take = (name: string, number: number): void => {
    numbers.set(name, number);
    taken.add(number);
  };
  for (const { name, number } of parseNumbers(kept)) {
    if (gateways.includes(name) && !numbers.has(name) && !taken.has(number)) take(name, number);
  }

  const without: string[] = [];
  let free = MIN_GATEWAY;
  for (const name of gateways) {
    if (numbers.has(name)) continue;
    while (taken.has(free)) free++;
    if (free <= MAX_GATEWAY) take(name, free);
    else without.push(name);
  }
  if (without.length > 0) return { ok: false, without };

  const lines = [...numbers].sort(([, a], [, b]) => a - b).map(([name, number]) => `${name} ${number}\n`);
  return { ok: true, numbers, text: lines.join("") };
}

function parseNumbers(text: string): { readonly name: string; readonly number: number }[] {
  return text.split("\n").flatMap((line) => {
    const [, name = "", digits = ""] = /^([A-Za-z0-9_]+) ([1-9][0-9]?)$/.exec(line) ?? [];
    const number = Number(digits);
    return number >= MIN_GATEWAY && number <= MAX_GATEWAY ? [{ name, number }] : [];
  });
}
