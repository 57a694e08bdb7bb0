import { type Host, HostError } from "../host/types.ts";
import { linesOf } from "./lines.ts";

/** No daemon listens on the control socket. */
export class NotRunningError extends Error {
  override readonly name = "NotRunningError";
}

/** The daemon answered with an error; `status` is an exit status. */
export class ControlError extends Error {
  override readonly name = "ControlError";
  readonly status: number;
  constructor(status: number, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.status = status;
  }
}

const TIMEOUT = 15_000;

/** Calls one method of the daemon behind `path` and answers its data. Limit: 15 seconds. Throws NotRunningError or ControlError. */
export async function callControl(
  host: Host,
  path: string,
  method: string,
  args: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
): Promise<unknown> {
  signal.throwIfAborted();
  const limit = new AbortController();
  const onAbort = (): void => {
    limit.abort(signal.reason);
  };
  signal.addEventListener("abort", onAbort, { once: true });
  const timer = setTimeout(() => {
    limit.abort(new ControlError(1, "the daemon does not answer: see its log, or restart it"));
  }, TIMEOUT);
  try {
    return await converse(host, path, { id: 1, method, args }, limit.signal);
  } catch (error) {
    if (error instanceof HostError && (error.code === "ENOENT" || error.code === "ECONNREFUSED")) {
      throw new NotRunningError("the daemon is not running: start it with binder run", { cause: error });
    }
    throw error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}

/** Whether a daemon listens behind `path`; one that answers badly is one. */
export async function isDaemonRunning(host: Host, path: string, signal: AbortSignal): Promise<boolean> {
  try {
    await callControl(host, path, "status", {}, signal);
    return true;
  } catch (error) {
    return !(error instanceof NotRunningError);
  }
}

async function converse(host: Host, path: string, request: unknown, signal: AbortSignal): Promise<unknown> {
  const stream = await host.sockets.connectUnix(path, signal);
  const close = (): void => {
    stream.close();
  };
  signal.addEventListener("abort", close, { once: true });
  try {
    await stream.write(new TextEncoder().encode(`${JSON.stringify(request)}\n`));
    for await (const line of linesOf(stream.input)) return dataOf(line);
    throw new ControlError(1, "the daemon ended before it answered");
  } catch (error) {
    // Our own end of waiting shows as a broken stream too.
    signal.throwIfAborted();
    if (error instanceof ControlError) throw error;
    throw new ControlError(1, "the daemon ended before it answered", { cause: error });
  } finally {
    signal.removeEventListener("abort", close);
    stream.close();
  }
}

function dataOf(line: string | undefined): unknown {
  const response = line === undefined ? undefined : parse(line);
  if (typeof response !== "object" || response === null || !("status" in response))
    throw new ControlError(1, "the daemon's answer is none");
  if (response.status === 0) return "data" in response ? response.data : null;
  const message = "error" in response && typeof response.error === "string" ? response.error : "the daemon could not do that";
  throw new ControlError(typeof response.status === "number" ? response.status : 1, message);
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
