import type { Host } from "../../host/types.ts";
import { runRelay } from "../../relay/run.ts";
import { runCommand } from "../frame.ts";

const usage = `usage: binder relay run

Runs the relay in the foreground, until it is told to stop.
`;

export async function runRelayCommand(host: Host, args: readonly string[]): Promise<number> {
  const shape = { usage, positionals: { least: 0, most: 0 }, endless: true };
  return await runCommand(host, args, "binder relay run", shape, async (_given, signal) => await runRelay(host, signal));
}
