import { stopHome } from "../home/stop.ts";
import type { Host } from "../host/types.ts";
import { stopRelay } from "../relay/stop.ts";
import { CommandError, runCommand, STATUS } from "./frame.ts";

const usage = `usage: binder cleanup

Removes all that Binder has put into this machine's kernel, and ends the programs that it started. Needs no daemon. It touches nothing
that is not Binder's.
`;

export async function cleanupCommand(host: Host, args: readonly string[]): Promise<number> {
  return await runCommand(host, args, "binder cleanup", { usage, positionals: { least: 0, most: 0 } }, async (_given, signal) => {
    await removeAll(host, signal);
    return STATUS.well;
  });
}

/** Ends both roles' programs and removes their kernel state. Throws a CommandError with all that could not be removed. */
export async function removeAll(host: Host, signal: AbortSignal): Promise<void> {
  const failures = [...(await stopHome(host, signal)), ...(await stopRelay(host, signal))];
  if (failures.length > 0) throw new CommandError(STATUS.failed, failures.map(({ message }) => message).join("\n"));
}
