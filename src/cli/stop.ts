import { callControl, NotRunningError } from "../control/client.ts";
import { CONTROL_SOCKET, RELAY_CONTROL_SOCKET } from "../control/types.ts";
import type { Host } from "../host/types.ts";
import { removeAll } from "./cleanup.ts";
import { runCommand, STATUS } from "./frame.ts";

const usage = `usage: binder stop

Ends Binder on this machine: the daemon, the programs that it started, and all that it put into the kernel. Also what a daemon that is
gone has left.
`;

export async function stopCommand(host: Host, args: readonly string[]): Promise<number> {
  return await runCommand(host, args, "binder stop", { usage, positionals: { least: 0, most: 0 } }, async (_given, signal) => {
    for (const socket of [CONTROL_SOCKET, RELAY_CONTROL_SOCKET]) {
      try {
        await callControl(host, socket, "stop", {}, signal);
      } catch (error) {
        if (!(error instanceof NotRunningError)) throw error;
      }
    }
    await removeAll(host, signal);
    return STATUS.well;
  });
}
