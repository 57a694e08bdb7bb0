import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rename, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** The project's directory: above this file's, or above its bundle's in build/. */
export const projectRoot = findRoot();

function findRoot(): string {
  for (const start of [dirname(fileURLToPath(import.meta.url)), process.cwd()]) {
    for (let directory = start; ; directory = dirname(directory)) {
      if (existsSync(join(directory, "test/testbed/keeper.c"))) return directory;
      if (directory === dirname(directory)) break;
    }
  }
  throw new Error("the testbed's sources are not above this program; run it within the project");
}

const made = new Map<string, Promise<string>>();

/** The path of a program of test/testbed/, compiled into build/testbed/ if its source is newer. Rejects with the compiler's words. */
export function compiled(name: "keeper" | "enter" | "links" | "flow"): Promise<string> {
  const known = made.get(name);
  if (known !== undefined) return known;
  const making = compile(name);
  made.set(name, making);
  return making;
}

async function compile(name: string): Promise<string> {
  const source = join(projectRoot, "test/testbed", `${name}.c`);
  const target = join(projectRoot, "build/testbed", name);
  const [from, to] = await Promise.all([stat(source), stat(target).catch(() => undefined)]);
  if (to !== undefined && to.mtimeMs > from.mtimeMs) return target;
  await mkdir(dirname(target), { recursive: true });
  // Several tests may do this at once: each makes its own, and the last one renamed stays.
  const temporary = `${target}.${String(process.pid)}`;
  await promisify(execFile)("cc", ["-O2", "-Wall", "-Wextra", "-Werror", "-o", temporary, source]);
  await rename(temporary, target);
  return target;
}
