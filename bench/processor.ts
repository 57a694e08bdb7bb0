import type { TestNode } from "../test/testbed/index.ts";

/** Clock ticks a second of /proc/PID/stat (sysconf(_SC_CLK_TCK)), the same on every Linux that Binder runs on. */
const TICKS = 100;

/** Processor seconds that the node's programs of these names used so far, by name. */
export async function processorSeconds(node: TestNode, names: readonly string[]): Promise<Readonly<Record<string, number>>> {
  // Some end between being listed and being read: cat says so by its status.
  const text = (await node.run("sh", ["-c", "cat /proc/[0-9]*/stat 2>/dev/null"])).stdout;
  const seconds: Record<string, number> = Object.fromEntries(names.map((name) => [name, 0]));
  for (const row of text.split("\n")) {
    const name = row.slice(row.indexOf("(") + 1, row.lastIndexOf(")"));
    if (!names.includes(name)) continue;
    const fields = row
      .slice(row.lastIndexOf(")") + 2)
      .split(" ")
      .map(Number);
    seconds[name] = (seconds[name] ?? 0) + ((fields[11] ?? 0) + (fields[12] ?? 0)) / TICKS;
  }
  return seconds;
}
