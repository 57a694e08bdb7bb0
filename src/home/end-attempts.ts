import type { Host } from "../host/types.ts";
import { anyOf } from "../process/any-of.ts";

/**
 * Ends the attempts to connect from these lanes' addresses: HAProxy then tries another lane at once, not when its time is up. A kernel
 * without CONFIG_INET_DIAG_DESTROY lets them wait.
 */
export async function endAttempts(host: Host, addresses: readonly string[], signal: AbortSignal): Promise<void> {
  try {
    await host.processes.run("ss", ["-K", "-tnH", "state", "syn-sent", ...anyOf("src", addresses)], signal);
  } catch {
    signal.throwIfAborted();
  }
}
