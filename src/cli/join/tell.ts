import type { Host } from "../../host/types.ts";

/** Has a running daemon take up the new configuration; false if none runs. */
export async function tellHome(_host: Host, _signal: AbortSignal): Promise<boolean> {
  return await Promise.resolve(false);
}
