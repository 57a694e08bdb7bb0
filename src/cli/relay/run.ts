import type { Host } from "../../host/types.ts";
import { CommandError, runCommand, STATUS } from "../frame.ts";

const usage = `usage: binder relay run

Runs the relay in the foreground, until it is told to stop.
`;

export async function runRelayCommand(host: Host, args: readonly string[]): Promise<number> {
  const shape = { usage, positionals: { least: 0, most: 0 }, endless: true };
  return await runCommand(host, args, "binder relay run", shape, async () => {
    return await Promise.reject(new CommandError(STATUS.failed, "this Binder has no relay daemon yet"));
  });
}
