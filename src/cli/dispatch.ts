import type { Host } from "../host/types.ts";

/** Answers the exit status: 0 well, 1 failed, 2 usage, 3 configuration, 4 daemon not running. */
export type Run = (host: Host, args: readonly string[]) => Promise<number>;

export interface Command {
  /** One line for `binder --help`. */
  readonly summary: string;
  /** What it is made of: read when it is asked for, as a small machine has neither time nor memory for all of Binder. */
  readonly load: () => Promise<Run>;
}

/** By name, in the order in which they are listed. */
export type Commands = Readonly<Record<string, Command>>;

function usage(commands: Commands): string {
  const width = Math.max(...Object.keys(commands).map((name) => name.length));
  const lines = Object.entries(commands).map(([name, command]) => `  ${name.padEnd(width)}  ${command.summary}`);
  return `usage: binder COMMAND [OPTION ...]\n\n${lines.join("\n")}\n\nbinder COMMAND --help tells more of each.

Exit status: 0 well, 1 failed, 2 wrong use, 3 wrong configuration, 4 Binder is not running.
`;
}

/** Runs the command that the arguments name, and answers the exit status. */
export async function dispatch(host: Host, args: readonly string[], commands: Commands): Promise<number> {
  const [name, ...rest] = args;
  if (name === "--help" || name === "-h" || name === "help") {
    host.program.stdout(usage(commands));
    return 0;
  }
  const command = name === undefined || !Object.hasOwn(commands, name) ? undefined : commands[name];
  if (command === undefined) {
    host.program.stderr(name === undefined ? usage(commands) : `binder: there is no command "${name}"; binder --help lists them\n`);
    return 2;
  }
  const run = await command.load();
  return await run(host, rest);
}

/** Runs the program: it ends with the command's status. */
export function start(host: Host, commands: Commands): void {
  dispatch(host, host.program.args, commands).then(
    (status) => host.program.exit(status),
    (error: unknown) => {
      host.program.stderr(`binder: ${error instanceof Error ? error.message : String(error)}\n`);
      host.program.exit(1);
    },
  );
}
