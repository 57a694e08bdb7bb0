import type { Host } from "../host/types.ts";

export type LogLevel = "error" | "warning" | "info" | "debug";

const levels: readonly LogLevel[] = ["error", "warning", "info", "debug"];

export interface LoggedEvent {
  /** Milliseconds since 1970, as the machine believes. */
  readonly time: number;
  readonly level: LogLevel;
  readonly text: string;
}

const KEPT = 200;

/** The daemon's log: lines on standard error (procd and systemd take them from there), and the last ones kept for `events`. */
export class Log {
  level: LogLevel = "info";
  readonly #host: Host;
  readonly #kept: LoggedEvent[] = [];

  constructor(host: Host) {
    this.#host = host;
  }

  get events(): readonly LoggedEvent[] {
    return this.#kept;
  }

  write(level: LogLevel, text: string): void {
    if (levels.indexOf(level) > levels.indexOf(this.level)) return;
    this.#kept.push({ time: this.#host.clock.wall(), level, text });
    if (this.#kept.length > KEPT) this.#kept.shift();
    this.#host.program.stderr(`binder: ${level === "info" ? "" : `${level}: `}${text}\n`);
  }
}
