import type { Host } from "../host/types.ts";
import { isRunning, type ProcessIdentity } from "./identity.ts";

const GRACE = 3_000;
const POLL = 50;

/** Ends a process: SIGTERM, and SIGKILL after three seconds. Resolves when it is gone. */
export async function endProcess(host: Host, identity: ProcessIdentity, signal: AbortSignal): Promise<void> {
  if (!(await isRunning(host, identity))) return;
  host.processes.kill(identity.pid, "SIGTERM");
  const deadline = host.clock.monotonic() + GRACE;
  let killed = false;
  while (await isRunning(host, identity)) {
    if (!killed && host.clock.monotonic() > deadline) {
      host.processes.kill(identity.pid, "SIGKILL");
      killed = true;
    }
    await host.clock.sleep(POLL, signal);
  }
}
