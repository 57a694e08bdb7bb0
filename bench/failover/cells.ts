import type { Cell } from "../cell.ts";
import { type Fault, faults, leftAlone } from "./faults.ts";
import { falseAlarms, through } from "./measure.ts";
import { curveOf } from "./curve.ts";

/** A 95th percentile asks for so many. */
const REPETITIONS = 20;
const TEN_MINUTES = 600;

function cell(fault: Fault, alone: boolean): Cell {
  return {
    id: `failover-${fault.id}`,
    unit: "ms",
    repetitions: REPETITIONS,
    measure: async (setups, keep, index) => {
      const { sample, points } = await through(await setups.binder(fault.setup), fault, alone, index / REPETITIONS);
      keep(curveOf(points));
      return sample;
    },
  };
}

/** Faults in the middle of a download, with Binder and with the kernel alone, and ten minutes with nothing wrong. */
export const failoverCells: readonly Cell[] = [
  ...faults.map((fault) => cell(fault, false)),
  ...leftAlone.map((fault) => cell(fault, true)),
  {
    id: "false-alarms",
    unit: "1",
    repetitions: 1,
    measure: async (setups) => await falseAlarms(await setups.binder("bloated"), TEN_MINUTES),
  },
];
