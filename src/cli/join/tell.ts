import { callControl, NotRunningError } from "../../control/client.ts";
import { CONTROL_SOCKET } from "../../control/types.ts";
import type { Host } from "../../host/types.ts";

/** Has a running daemon take up the new configuration; false if none runs. Throws a ControlError if it can't. */
export async function tellHome(host: Host, signal: AbortSignal): Promise<boolean> {
  try {
    await callControl(host, CONTROL_SOCKET, "reload", {}, signal);
    return true;
  } catch (error) {
    if (error instanceof NotRunningError) return false;
    throw error;
  }
}
