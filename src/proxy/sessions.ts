import type { Host } from "../host/types.ts";
import { askProxy } from "./stats-socket.ts";

/** What of HAProxy's answer to `show sess all` (management guide, 9.3) tells sessions apart. */
export interface Session {
  /** `0x55d0c2a6b8d0`. */
  readonly id: string;
  /** Where its connection to the server begins, `198.19.16.2:44936`; empty: it has none. */
  readonly source: string;
}

export function parseSessions(text: string): readonly Session[] {
  const sessions: { id: string; source: string }[] = [];
  for (const line of text.split("\n")) {
    const id = /^(0x[0-9a-f]+): /.exec(line)?.[1];
    if (id !== undefined) sessions.push({ id, source: "" });
    const source = /^ +backend=\S+ \([^)]*\) addr=([0-9.]+:[0-9]+)/.exec(line)?.[1];
    const last = sessions.at(-1);
    if (source !== undefined && last !== undefined) last.source = source;
  }
  return sessions;
}

/** Ends the sessions whose connections to their servers begin at these addresses. Rejects if HAProxy doesn't answer. */
export async function endSessions(host: Host, path: string, sources: ReadonlySet<string>, signal: AbortSignal): Promise<void> {
  const sessions = parseSessions(await askProxy(host, path, [["show", "sess", "all"]], signal));
  const commands = sessions.filter(({ source }) => sources.has(source)).map(({ id }) => ["shutdown", "session", id]);
  if (commands.length > 0) await askProxy(host, path, commands, signal);
}
