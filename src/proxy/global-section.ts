import { line } from "./text.ts";
import type { ProxyUser } from "./user.ts";

export interface GlobalOptions {
  /** At a time. */
  readonly maximumConnections: number;
  readonly statsSocket: string;
  readonly runAs: ProxyUser;
}

/** The section `global` of both ends' HAProxy. */
export function globalSection(options: GlobalOptions): readonly string[] {
  return [
    "global",
    line("maxconn", options.maximumConnections),
    line("user", options.runAs.user),
    line("group", options.runAs.group),
    line("stats", "socket", options.statsSocket, "mode", "600", "level", "admin"),
    line("stats", "timeout", "1m"),
  ];
}
