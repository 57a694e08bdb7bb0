import { parseRelayConfig } from "../config/index.ts";
import type { Host } from "../host/types.ts";
import { Kernel } from "../kernel/kernel.ts";
import type { OperationFailure } from "../kernel/operations.ts";
import { endAll } from "../process/end-named.ts";
import { relayOwnership } from "./ownership.ts";
import { RELAY_CONFIG } from "./paths.ts";

/** Removes the relay's data path: programs and kernel state. Needs no daemon, and no configuration that is right. */
export async function stopRelay(host: Host, signal: AbortSignal): Promise<readonly OperationFailure[]> {
  await endAll(host, (name) => name.startsWith("relay-"), signal);
  const there = (await host.files.status(RELAY_CONFIG)) !== undefined;
  const result = there ? parseRelayConfig(RELAY_CONFIG, await host.files.read(RELAY_CONFIG)) : undefined;
  return await new Kernel(host, relayOwnership(result?.ok === true ? result : undefined)).cleanup(signal);
}
