import { median } from "./percentile.ts";
import type { Results } from "./results.ts";

/** The figures of one cell under a name, in the order they were taken. */
export function figures(results: Results, id: string, name = "value"): readonly number[] {
  return (results.cells[id] ?? []).flatMap((sample) => (sample[name] === undefined ? [] : [sample[name]]));
}

export const middle = (results: Results, id: string, name = "value"): number => median(figures(results, id, name));

export const round = (value: number, digits = 1): string => (Number.isFinite(value) ? value.toFixed(digits) : "not measured");
