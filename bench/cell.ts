import type { Curve } from "./failover/curve.ts";
import type { Setups } from "./setups.ts";

/** One measurement's figures by name; `value` is the one that the cell is about. */
export type Sample = Readonly<Record<string, number>>;

export interface Cell {
  readonly id: string;
  readonly unit: "Mbit/s" | "ms" | "s" | "1/s" | "%" | "1";
  /** Times that it is measured; absent: as often as usual (REPETITIONS, cells.ts). */
  readonly repetitions?: number;
  /** `keep` keeps the course of the transfer, of the first repetition; `index` of this one is 0 and up. */
  readonly measure: (setups: Setups, keep: (curve: Curve) => void, index: number) => Promise<Sample>;
}
