import { execFileSync } from "node:child_process";
import { readFile, rename, writeFile } from "node:fs/promises";
import { cpus, release, totalmem } from "node:os";
import type { Sample } from "./cell.ts";
import type { Curve } from "./failover/curve.ts";
import { nameOfMeasured } from "./measured.ts";

/** What was measured so far, as kept in bench/results.json. */
export interface Results {
  readonly commit: string;
  /** Of what is measured (measured.ts). */
  readonly measured: string;
  readonly machine: { readonly kernel: string; readonly cpu: string; readonly cores: number; readonly memory_gb: number };
  readonly started: string;
  finished?: string;
  warnings: string[];
  /** Samples by cell, in the order of the repetitions. */
  readonly cells: Record<string, Sample[]>;
  /** By cell, of the first repetition. */
  readonly curves: Record<string, Curve>;
}

const git = (...args: readonly string[]): string => execFileSync("git", args, { encoding: "utf8" }).trim();

function commit(): string {
  // The bench's own output does not change what is measured.
  const changed = git("status", "--porcelain", "--", ":!bench/results.json", ":!bench/README.md", ":!bench/*.svg");
  return `${git("rev-parse", "--short=12", "HEAD")}${changed === "" ? "" : " (changed)"}`;
}

/** The results of a run that is unfinished, of the same program on the same kind of machine, or new ones. */
export async function openResults(path: string): Promise<Results> {
  const fresh: Results = {
    commit: commit(),
    measured: await nameOfMeasured(),
    machine: { kernel: release(), cpu: cpus()[0]?.model ?? "unknown", cores: cpus().length, memory_gb: Math.round(totalmem() / 2 ** 30) },
    started: new Date().toISOString(),
    warnings: [],
    cells: {},
    curves: {},
  };
  try {
    const kept = JSON.parse(await readFile(path, "utf8")) as Results;
    const same = kept.measured === fresh.measured && kept.machine.cpu === fresh.machine.cpu && kept.machine.kernel === fresh.machine.kernel;
    return same && kept.finished === undefined ? kept : fresh;
  } catch {
    return fresh;
  }
}

/** Replaces the file whole: a stop in the middle loses at most the cell that was being measured. */
export async function saveResults(path: string, results: Results): Promise<void> {
  await writeFile(`${path}.new`, `${JSON.stringify(results, undefined, 1)}\n`);
  await rename(`${path}.new`, path);
}
