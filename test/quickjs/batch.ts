/**
 * Run by engine.test.ts on both engines: the commands on every file `DIRECTORY/*\/t`, in one process. Prints, for each, the directory's
 * name, the command, its status, and what it wrote, as numbers where it was bytes.
 */
import { createHost } from "#host";
import { commands } from "../../src/cli/commands.ts";
import { dispatch } from "../../src/cli/dispatch.ts";
import type { Host } from "../../src/host/types.ts";

const host = createHost();

async function run(args: readonly string[]): Promise<unknown> {
  const out: unknown[] = [];
  const err: string[] = [];
  const captured: Host = {
    ...host,
    program: {
      ...host.program,
      stdout: (text) => out.push(typeof text === "string" ? text : [...text].join(" ")),
      stderr: (text) => err.push(text),
    },
  };
  const status = await dispatch(captured, args, commands);
  return { status, out, err };
}

async function main(): Promise<void> {
  const [directory = ""] = host.program.args;
  for (const name of await host.files.list(directory)) {
    const file = `${directory}/${name}/t`;
    for (const args of [
      ["config", "export", file],
      ["config", "show", file],
      ["check", file],
    ]) {
      host.program.stdout(`${JSON.stringify([name, args.slice(0, -1), await run(args)])}\n`);
    }
  }
  host.program.exit(0);
}

main().catch((error: unknown) => {
  host.program.stderr(`${String(error)}\n`);
  host.program.exit(1);
});
