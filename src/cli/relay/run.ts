import type { Host } from "../../host/types.ts";
import { runCommand, STATUS } from "../frame.ts";

const usage = `usage: binder relay run

Runs the relay in the foreground, until it is told to stop.
`;

export async function runRelayCommand(host: Host, args: readonly string[]): Promise<number> {
  return await runCommand(
    host,
    args,
    "binder relay run",
    { usage, positionals: { least: 0, most: 0 } },
    async () => await Promise.resolve(STATUS.failed),
  );
}
