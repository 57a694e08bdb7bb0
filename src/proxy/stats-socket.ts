import type { Host } from "../host/types.ts";
import { line } from "./text.ts";

/** HAProxy answered a command with a complaint, or not at all. */
export class StatsSocketError extends Error {
  override readonly name = "StatsSocketError";
}

/** Eight thousand sessions told in full (bytes). */
const ANSWER_LIMIT = 16 * 1024 * 1024;
const TIMEOUT = 3_000;

/** Sends commands to HAProxy's stats socket (HAProxy's management guide, 9.3) and answers all that it says. Limit: three seconds. */
export async function askProxy(
  host: Host,
  path: string,
  commands: readonly (readonly (string | number)[])[],
  signal: AbortSignal,
): Promise<string> {
  const limit = new AbortController();
  const onAbort = (): void => {
    limit.abort(signal.reason);
  };
  signal.addEventListener("abort", onAbort, { once: true });
  const timer = setTimeout(() => {
    limit.abort(new StatsSocketError("HAProxy does not answer on its stats socket"));
  }, TIMEOUT);
  try {
    const stream = await host.sockets.connectUnix(path, limit.signal);
    const close = (): void => {
      stream.close();
    };
    limit.signal.addEventListener("abort", close, { once: true });
    await stream.write(new TextEncoder().encode(`${commands.map((words) => line(...words)).join(";")}\n`));
    const chunks: string[] = [];
    const decoder = new TextDecoder();
    let size = 0;
    for await (const chunk of stream.input) {
      chunks.push(decoder.decode(chunk));
      size += chunk.length;
      if (size > ANSWER_LIMIT) throw new StatsSocketError("HAProxy's answer has no end");
    }
    limit.signal.throwIfAborted();
    stream.close();
    return chunks.join("");
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}
