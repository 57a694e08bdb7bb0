import type { Host } from "../host/types.ts";
import { STATUS } from "./frame.ts";
import { addHomeCommand } from "./relay/add-home.ts";
import { initCommand } from "./relay/init.ts";
import { listCommand } from "./relay/list.ts";
import { rekeyCommand } from "./relay/rekey.ts";
import { removeHomeCommand } from "./relay/remove-home.ts";
import { runRelayCommand } from "./relay/run.ts";

const commands: Readonly<Record<string, (host: Host, args: readonly string[]) => Promise<number>>> = {
  init: initCommand,
  "add-home": addHomeCommand,
  "remove-home": removeHomeCommand,
  rekey: rekeyCommand,
  list: listCommand,
  run: runRelayCommand,
};

const usage = `usage: binder relay COMMAND [OPTION ...]

  init              make this machine a relay: keys, users, configuration
  add-home NAME     let a home in, and print its invite
  remove-home NAME  shut a home out
  rekey NAME        make a home's keys anew, and print its new invite
  list              show the homes
  run               run the relay

binder relay COMMAND --help tells more of each.
`;

/** `binder relay …`; answers the exit status. */
export async function relayCommand(host: Host, args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === "--help" || name === "-h" || name === "help") {
    host.program.stdout(usage);
    return STATUS.well;
  }
  const command = name === undefined || !Object.hasOwn(commands, name) ? undefined : commands[name];
  if (command === undefined) {
    host.program.stderr(name === undefined ? usage : `binder relay: there is no command "${name}"; binder relay --help lists them\n`);
    return STATUS.usage;
  }
  return await command(host, rest);
}
