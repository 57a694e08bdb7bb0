import { writeFile } from "node:fs/promises";
import { figures, middle, round } from "../figures.ts";
import { percentile } from "../percentile.ts";
import { courses, type Moment } from "../plots.ts";
import type { Results } from "../results.ts";
import { CURVE_FROM, CURVE_STEP } from "./curve.ts";
import { type Fault, faults, leftAlone } from "./faults.ts";
import { NEVER } from "./measure.ts";

const all = [...faults, ...leftAlone];
const idOf = ({ id }: Fault): string => `failover-${id}`;

const promised = (value: number): string => (Number.isFinite(value) ? String(value) : "–");
const later = (value: number): string => (value >= NEVER ? "not within the transfer" : round(value, 0));

/** The report's part on faults; writes its plot into the folder. */
export async function failover(results: Results, folder: string): Promise<string> {
  const rows = all.map((fault) => {
    const id = idOf(fault);
    const of = (name: string) => figures(results, id, name);
    const cells = [
      fault.what,
      String(of("value").length),
      round(middle(results, id), 0),
      round(percentile(of("value"), 0.95), 0),
      leftAlone.includes(fault) ? "" : promised(fault.stall + Math.round((fault.roundTrips ?? 0) * middle(results, id, "delay"))),
      later(middle(results, id, "back")),
      later(percentile(of("back"), 0.95)),
      leftAlone.includes(fault) ? "" : promised(fault.back),
      round(percentile(of("later"), 0.95), 0),
      round(middle(results, id, "during")),
      round(Math.min(...of("least"))),
    ];
    return `| ${cells.join(" | ")} |`;
  });
  const moments = all.flatMap((fault) =>
    (results.curves[idOf(fault)] ?? []).map(
      (mbps, index): Moment => ({ label: fault.what, at: (CURVE_FROM + index * CURVE_STEP) / 1000, mbps }),
    ),
  );
  const repairs = new Map(all.map(({ what, lasts }) => [what, lasts / 1000]));
  await writeFile(`${folder}/failover.svg`, courses(moments, repairs));
  const before = all.flatMap((fault) => figures(results, idOf(fault), "before"));
  return [
    "## Gateways that fail",
    "",
    "One download at full rate by all four, a fault of the fastest gateway (unless said otherwise) that lasts 3 s (loss: 5 s) or somewhat more, and its repair: faults come at every moment of the congestion control's cycle, repairs when it does not pause. The stall is the longest time in which",
    "the client received nothing in the fault's first second; later: in the rest of it, which is the congestion control's pauses with fewer lanes; back is from the repair until the rate over half a second is nine tenths of what it was. In ms; the last two columns are Mbit/s:",
    "what was carried while the fault lasted, and the least over half a second from two seconds after the fault on, of all repetitions.",
    `With nothing wrong the longest time without a byte, in the seconds before the faults, was ${round(percentile(before, 0.5), 0)} ms (median) and ${round(percentile(before, 0.95), 0)} ms (95th percentile): the congestion control's own pauses.`,
    "",
    "| fault | times | stall, median | p95 | promised | back, median | p95 | promised | later, p95 | during | least |",
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ...rows,
    "",
    `Ten minutes of one download over the same four with queues of a second: ${round(middle(results, "false-alarms"), 0)} gateways were taken for failing, at ${round(middle(results, "false-alarms", "mbps"))} Mbit/s.`,
    "",
    "![downloads around their faults](failover.svg)",
  ].join("\n");
}
