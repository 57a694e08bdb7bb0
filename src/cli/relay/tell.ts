import { callControl, NotRunningError } from "../../control/client.ts";
import { RELAY_CONTROL_SOCKET } from "../../control/types.ts";
import type { Host } from "../../host/types.ts";
import { STATUS } from "../frame.ts";

/**
 * Has a running relay read its book again, and answers the command's exit status. That the relay runs is no condition: it reads the
 * book when it starts. A relay that runs and can't be told is worth status 1, but the book is changed by then.
 */
export async function tellRelay(host: Host, signal: AbortSignal): Promise<number> {
  try {
    await callControl(host, RELAY_CONTROL_SOCKET, "reload", {}, signal);
  } catch (error) {
    if (error instanceof NotRunningError) return STATUS.well;
    const why = error instanceof Error ? error.message : String(error);
    host.program.stderr(`warning: the book is changed, but the running relay did not take it up (${why}): restart it\n`);
    return STATUS.failed;
  }
  return STATUS.well;
}
