import type { Host } from "../../host/types.ts";

/** Tells a running relay that its book changed. */
export async function tellRelay(_host: Host, _signal: AbortSignal): Promise<void> {
  await Promise.resolve();
}
