/**
 * The evaluation: measures every cell five times (fail-over's twenty times), interleaved, into bench/results.json, and writes bench/README.md. A run that was
 * stopped goes on where it was.
 *
 *     make bench [ARGS="--only PREFIX --repetitions N"]
 */
import mri from "mri";
import { projectRoot } from "../test/testbed/index.ts";
import type { Cell } from "./cell.ts";
import { carriageCells, REPETITIONS } from "./cells.ts";
import { failoverCells } from "./failover/cells.ts";
import { writeReport } from "./report.ts";
import { openResults, saveResults } from "./results.ts";
import { Setups } from "./setups.ts";

const path = `${projectRoot}/bench/results.json`;
const args = mri<{ only?: string; repetitions?: string }>(process.argv.slice(2), { string: ["only", "repetitions"] });
const limit = Number(args.repetitions ?? Number.POSITIVE_INFINITY);
const cells = [...carriageCells, ...failoverCells];
const dueOf = (cell: Cell): number => Math.min(limit, cell.repetitions ?? REPETITIONS);
const chosen = cells.filter((cell) => args.only === undefined || cell.id.startsWith(args.only));
const results = await openResults(path);
const setups = new Setups();

async function measure(cell: Cell): Promise<void> {
  const samples = (results.cells[cell.id] ??= []);
  const sample = await cell.measure(
    setups,
    (curve) => {
      results.curves[cell.id] ??= curve;
    },
    samples.length,
  );
  samples.push(sample);
  console.log(
    `${cell.id.padEnd(24)} ${String(samples.length)}/${String(dueOf(cell))}  ${(sample["value"] ?? Number.NaN).toFixed(1)} ${cell.unit}`,
  );
  await saveResults(path, results);
}

try {
  for (let repetition = 1; repetition <= Math.max(...chosen.map(dueOf)); repetition += 1) {
    for (const cell of chosen) {
      if (repetition <= dueOf(cell) && (results.cells[cell.id]?.length ?? 0) < repetition) await measure(cell);
    }
  }
  if (cells.every((cell) => (results.cells[cell.id]?.length ?? 0) >= (cell.repetitions ?? REPETITIONS)))
    results.finished = new Date().toISOString();
  results.warnings = [...new Set([...results.warnings, ...setups.warnings])];
  await saveResults(path, results);
  await writeReport(results);
} finally {
  await setups.close();
}
