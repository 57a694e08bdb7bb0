import type { Host } from "../host/types.ts";
import { Kernel } from "../kernel/kernel.ts";
import type { OperationFailure } from "../kernel/operations.ts";
import { endAll } from "../process/end-named.ts";
import { homeOwnership } from "./ownership.ts";
import { SERVERS_FILE } from "./resolver.ts";

/** Removes the home's data path: programs, kernel state, files in /run. Needs no daemon and no configuration. */
export async function stopHome(host: Host, signal: AbortSignal): Promise<readonly OperationFailure[]> {
  await endAll(host, (name) => !name.startsWith("relay-"), signal);
  const failures = await new Kernel(host, await homeOwnership(host, undefined)).cleanup(signal);
  await host.files.remove(SERVERS_FILE);
  return failures;
}
