import { execFile } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { compiled, projectRoot, type RunResult, type TestNode } from "../testbed/index.ts";
import { Keeper } from "../testbed/keeper.ts";
import type { Test } from "../harness/index.ts";

/** Built once for each test file, apart from build/binder, which others may be building. */
const program = join(projectRoot, `build/test/binder-${process.pid}`);
let built: Promise<unknown> | undefined;

async function build(): Promise<void> {
  if (built === undefined) process.once("exit", removeProgram);
  built ??= promisify(execFile)(process.execPath, [join(projectRoot, "scripts/build.mjs"), "node", "src/main.ts", program]);
  await built;
}

function removeProgram(): void {
  for (const path of [program, `${program}.meta.json`]) rmSync(path, { force: true });
}

/** A machine with files, users and a network of its own, and Binder to run there. */
export interface Machine {
  readonly node: TestNode;
  /** Binder's path there. */
  readonly program: string;
  /** Runs `binder ARGS`; any status resolves. */
  readonly binder: (args: readonly string[], input?: string) => Promise<RunResult>;
  /** As {@link binder}, but rejects on any status but 0; answers standard output. */
  readonly must: (args: readonly string[], input?: string) => Promise<string>;
}

/** Makes machines that end with the test. */
export async function machines<const Names extends readonly string[]>(
  t: Test,
  ...names: Names
): Promise<{ [Index in keyof Names]: Machine }> {
  await Promise.all([build(), compiled("keeper"), compiled("enter")]);
  const keeper = await Keeper.start();
  t.teardown(async () => await keeper.close());
  const made = await Promise.all(names.map(async (name) => machineOf(await keeper.node(name))));
  await Promise.all(made.map(async ({ node }) => await node.ip(["link set dev lo up"])));
  return made as { [Index in keyof Names]: Machine };
}

/** Gives the machine a way to the Internet by `wan0`. */
export async function connect({ node }: Machine, address: string, gateway: string): Promise<void> {
  await node.ip([
    "link add name wan0 type veth peer name wan1",
    "link set dev wan1 up",
    "link set dev wan0 up",
    `address add ${address} dev wan0`,
    `route add default via ${gateway}`,
  ]);
}

function machineOf(node: TestNode): Machine {
  return {
    node,
    program,
    binder: async (args, input) => await node.run(program, args, { limit: 60_000, ...(input === undefined ? {} : { input }) }),
    must: async (args, input) => await node.must(program, args, { limit: 60_000, ...(input === undefined ? {} : { input }) }),
  };
}

/** Every file and folder below, as `MODE USER GROUP PATH`. */
export async function listing({ node }: Machine, directory: string): Promise<readonly string[]> {
  const text = await node.must("find", [directory, "-printf", "%m %u %g %p\\n"]);
  return text
    .split("\n")
    .filter((line) => line !== "")
    .sort((a, b) => (a.slice(a.indexOf("/")) < b.slice(b.indexOf("/")) ? -1 : 1));
}

/** A text that is equal exactly if all files below have the same paths, modes, owners, times of change, and contents. */
export async function fingerprint({ node }: Machine, ...directories: readonly string[]): Promise<string> {
  const status = await node.must("find", [...directories, "-printf", "%m %U %G %i %C@ %p\\n"]);
  const sums = await node.must("find", [...directories, "-type", "f", "-exec", "sha256sum", "{}", "+"]);
  return `${status}${sums}`;
}
