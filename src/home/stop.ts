import { isDaemonRunning } from "../control/client.ts";
import { CONTROL_SOCKET } from "../control/types.ts";
import { RUN_DIRECTORY } from "../plan/run-directory.ts";
import type { Host } from "../host/types.ts";
import { Kernel } from "../kernel/kernel.ts";
import type { OperationFailure } from "../kernel/operations.ts";
import { endAll } from "../process/end-named.ts";
import { RECORD_DIRECTORY } from "../process/record.ts";
import { homeOwnership, SAVED } from "./ownership.ts";
import { clearServers } from "./resolver.ts";
import { UsageMeter } from "./usage-meter.ts";

/** Removes the home's data path: programs, kernel state, files in /var/run. Needs no daemon and no configuration. */
export async function stopHome(host: Host, signal: AbortSignal): Promise<readonly OperationFailure[]> {
  await endAll(host, (name) => !name.startsWith("relay-"), signal);
  const failures = await new Kernel(host, await homeOwnership(host, undefined)).cleanup(signal);
  await clearServers(host);
  await keepUsage(host);
  if (failures.length === 0) await removeFiles(host);
  // Of a daemon that was killed.
  if (!(await isDaemonRunning(host, CONTROL_SOCKET, signal))) await host.files.remove(CONTROL_SOCKET);
  return failures;
}

/** What a daemon that was killed had counted. If it can't be kept, it stays where it is. */
async function keepUsage(host: Host): Promise<void> {
  const usage = new UsageMeter(host);
  await usage.open();
  await usage.close().catch(() => undefined);
}

/** What the home keeps in /var/run, but for the logs; a relay on the same machine keeps its own there. */
async function removeFiles(host: Host): Promise<void> {
  if ((await host.files.status(RUN_DIRECTORY)) === undefined) return;
  for (const file of await host.files.list(RUN_DIRECTORY)) {
    if (/^(lane-[0-9]+\.(conf|sock)|proxy\.(cfg|sock|state)|networks|prefixes|relay)$/.test(file))
      await host.files.remove(`${RUN_DIRECTORY}/${file}`);
  }
  for (const directory of [RECORD_DIRECTORY, SAVED]) {
    if ((await host.files.status(directory)) === undefined) continue;
    if ((await host.files.list(directory)).length === 0) await host.files.remove(directory);
  }
}
