import type { Host } from "../host/types.ts";

/**
 * Ends the attempts to connect from this lane's address: HAProxy then tries another lane at once, not when its time is up. A kernel
 * without CONFIG_INET_DIAG_DESTROY lets them wait.
 */
export async function endAttempts(host: Host, address: string, signal: AbortSignal): Promise<void> {
  try {
    await host.processes.run("ss", ["-K", "-tnH", "state", "syn-sent", "src", address], signal);
  } catch {
    signal.throwIfAborted();
  }
}
