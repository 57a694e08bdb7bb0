import { runHome } from "../home/run.ts";
import type { Host } from "../host/types.ts";
import { runCommand } from "./frame.ts";

const usage = `usage: binder run

Runs the home in the foreground, until it is told to stop. SIGTERM and SIGINT end the daemon and leave the data path as it is: the next
one takes it over. SIGHUP reads the configuration again. binder stop ends all.
`;

export async function runHomeCommand(host: Host, args: readonly string[]): Promise<number> {
  const shape = { usage, positionals: { least: 0, most: 0 }, endless: true };
  return await runCommand(host, args, "binder run", shape, async (_given, signal) => await runHome(host, signal));
}
