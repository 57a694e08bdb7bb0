import type { Host } from "../host/types.ts";
import { checkCommand } from "./check.ts";
import { cleanupCommand } from "./cleanup.ts";
import { configCommand } from "./config.ts";
import { doctorCommand } from "./doctor.ts";
import { joinCommand } from "./join.ts";
import { relayCommand } from "./relay.ts";
import { runHomeCommand } from "./run.ts";
import { statusCommand } from "./status.ts";
import { stopCommand } from "./stop.ts";
import { versionCommand } from "./version.ts";

export interface Command {
  /** One line for `binder --help`. */
  readonly summary: string;
  /** Answers the exit status: 0 well, 1 failed, 2 usage, 3 configuration, 4 daemon not running. */
  readonly run: (host: Host, args: readonly string[]) => Promise<number>;
}

const commands: Readonly<Record<string, Command>> = {
  run: { summary: "run the home's daemon", run: runHomeCommand },
  stop: { summary: "end Binder on this machine, and remove all that it made", run: stopCommand },
  status: { summary: "show what works, what does not, and what to do", run: statusCommand },
  check: { summary: "check a configuration", run: checkCommand },
  join: { summary: "join a relay with its invite", run: joinCommand },
  config: { summary: "print a UCI file as uci export and uci show do", run: configCommand },
  cleanup: { summary: "remove what Binder has left in the kernel", run: cleanupCommand },
  doctor: { summary: "check what this machine lacks, and how to get it", run: doctorCommand },
  relay: { summary: "set up and run a relay, let homes in", run: relayCommand },
  version: { summary: "print Binder's version", run: versionCommand },
};

function usage(): string {
  const width = Math.max(...Object.keys(commands).map((name) => name.length));
  const lines = Object.entries(commands).map(([name, command]) => `  ${name.padEnd(width)}  ${command.summary}`);
  return `usage: binder COMMAND [OPTION ...]\n\n${lines.join("\n")}\n\nbinder COMMAND --help tells more of each.

Exit status: 0 well, 1 failed, 2 wrong use, 3 wrong configuration, 4 Binder is not running.
`;
}

/** Runs the command that the arguments name, and answers the exit status. */
export async function dispatch(host: Host, args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === "--help" || name === "-h" || name === "help") {
    host.program.stdout(usage());
    return 0;
  }
  const command = name === undefined || !Object.hasOwn(commands, name) ? undefined : commands[name];
  if (command === undefined) {
    host.program.stderr(name === undefined ? usage() : `binder: there is no command "${name}"; binder --help lists them\n`);
    return 2;
  }
  return await command.run(host, rest);
}
