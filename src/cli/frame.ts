import { type Host, HostError } from "../host/types.ts";
import { type Arguments, readArguments, type Shape, UsageError } from "./arguments.ts";

/** A command's exit status (the same for all of Binder's). */
export const STATUS = { well: 0, failed: 1, usage: 2, configuration: 3, notRunning: 4 } as const;

/** Ends a command with this status and message. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly status: number;
  constructor(status: number, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.status = status;
  }
}

export interface CommandShape extends Shape {
  /** A daemon: no limit of time. False by default. */
  readonly endless?: boolean;
}

/** Milliseconds. No command but the daemons takes nearly as long. */
const LIMIT = 120_000;

/**
 * What all commands have in common: `--help`, arguments that don't fit (status 2), and an error's message on standard error with its
 * status. `command` is its name as it is typed, `binder join`. The body's signal fires on SIGINT, SIGTERM, and (but for a daemon) after two minutes,
 * so that what it must clean up is cleaned up.
 */
export async function runCommand(
  host: Host,
  args: readonly string[],
  command: string,
  shape: CommandShape,
  body: (given: Arguments, signal: AbortSignal) => Promise<number>,
): Promise<number> {
  const controller = new AbortController();
  const expire = (): void => {
    controller.abort(new Error(`it was not done within ${LIMIT / 1000} s`));
  };
  const timer = shape.endless === true ? undefined : setTimeout(expire, LIMIT);
  try {
    const given = readArguments(args, shape);
    if (given.help) {
      host.program.stdout(shape.usage);
      return STATUS.well;
    }
    for (const name of ["SIGINT", "SIGTERM"] as const) {
      host.program.onSignal(name, () => {
        controller.abort(new Error(`stopped by ${name}`));
      });
    }
    return await body(given, controller.signal);
  } catch (error) {
    const rights = error instanceof HostError && (error.code === "EACCES" || error.code === "EPERM") ? ": run it as root" : "";
    host.program.stderr(`${command}: ${error instanceof Error ? error.message : String(error)}${rights}\n`);
    if (error instanceof CommandError) return error.status;
    return error instanceof UsageError ? STATUS.usage : STATUS.failed;
  } finally {
    if (timer !== undefined) clearTimeout(timer);
  }
}
