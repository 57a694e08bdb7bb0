import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, stat } from "node:fs/promises";
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

/** The path of a program of test/testbed/ (NAME.c, NAME-*.c, NAME.h), compiled into build/testbed/ if a source is newer. Rejects with the compiler's words. */
export function compiled(name: "keeper" | "enter" | "links" | "flow" | "knock"): Promise<string> {
  const known = made.get(name);
  if (known !== undefined) return known;
  const making = compile(name);
  made.set(name, making);
  return making;
}

async function compile(name: string): Promise<string> {
  const directory = join(projectRoot, "test/testbed");
  const parts = (await readdir(directory)).filter((file) => file.startsWith(`${name}.`) || file.startsWith(`${name}-`));
  const sources = parts.filter((file) => /\.[ch]$/.test(file)).map((file) => join(directory, file));
  const target = join(projectRoot, "build/testbed", name);
  const built = await stat(target).catch(() => undefined);
  const times = await Promise.all(sources.map(async (source) => (await stat(source)).mtimeMs));
  if (built !== undefined && built.mtimeMs > Math.max(...times)) return target;
  await mkdir(dirname(target), { recursive: true });
  // Several tests may do this at once: each makes its own, and the last one renamed stays.
  const temporary = `${target}.${String(process.pid)}`;
  const inputs = sources.filter((source) => source.endsWith(".c"));
  await promisify(execFile)("cc", ["-O2", "-Wall", "-Wextra", "-Werror", "-o", temporary, ...inputs]);
  await rename(temporary, target);
  return target;
}
