import type { Host } from "../host/types.ts";
import { type Methods, serveControl } from "./server.ts";

/** A role's daemon, as this frame runs it. */
export interface Daemon {
  readonly methods: () => Methods;
  /** Reads the configuration again; rejects, and keeps the last good one, if it is wrong. */
  readonly reload: () => Promise<void>;
  /** Runs until `end` fires. */
  readonly run: () => Promise<void>;
}

/** Runs a daemon and serves its methods on the socket until `end` fires. SIGHUP reads the configuration again. */
export async function serveDaemon(host: Host, path: string, daemon: Daemon, end: AbortController): Promise<void> {
  host.program.onSignal("SIGHUP", () => {
    // It tells its log what is wrong.
    daemon.reload().catch(() => undefined);
  });
  const listener = await serveControl(host, path, daemon.methods());
  try {
    await daemon.run();
  } catch (error) {
    if (!end.signal.aborted) throw error;
  } finally {
    end.abort(new Error("the daemon ends"));
    await listener.close();
    await host.files.remove(path);
  }
}

/** A controller that fires with the signal, and may be fired by itself. */
export function endingWith(signal: AbortSignal): AbortController {
  const end = new AbortController();
  if (signal.aborted) end.abort(signal.reason);
  signal.addEventListener(
    "abort",
    () => {
      end.abort(signal.reason);
    },
    { once: true },
  );
  return end;
}
