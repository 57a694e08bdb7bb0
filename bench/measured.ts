import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { BINDER } from "../test/net/household.ts";
import { projectRoot } from "../test/testbed/index.ts";

/** What a figure depends on, besides Binder: the emulated network, and what is done in it. Folders stand for the files in them. */
const WITH = [
  "test/testbed",
  "test/net/household.ts",
  "test/net/timeline.ts",
  "bench/setups.ts",
  "bench/per-flow.ts",
  "bench/idle.ts",
  "bench/cells.ts",
  "bench/failover/cells.ts",
  "bench/failover/faults.ts",
  "bench/failover/measure.ts",
];

/** As in Binder's version (scripts/bundle.mjs). */
const COMMIT = / \([0-9a-f]{10}\)/;

async function filesOf(path: string): Promise<readonly string[]> {
  if (/\.[a-z]+$/.test(path)) return [path];
  const names = await readdir(`${projectRoot}/${path}`, { withFileTypes: true });
  return names
    .filter((entry) => entry.isFile())
    .map(({ name }) => `${path}/${name}`)
    .sort();
}

/**
 * Names what is measured: figures of equal names may stand in one table, whatever the commit. Binder's own version, which has the commit, is
 * no part of it.
 */
export async function nameOfMeasured(): Promise<string> {
  const hash = createHash("sha256");
  hash.update((await readFile(BINDER, "utf8")).replace(COMMIT, ""));
  for (const path of (await Promise.all(WITH.map(filesOf))).flat())
    hash.update(`\0${path}\0`).update(await readFile(`${projectRoot}/${path}`));
  return hash.digest("hex").slice(0, 12);
}
