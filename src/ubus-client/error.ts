import type { UbusTable } from "./values.ts";
import { statusCode, type UbusStatus } from "./status.ts";

/**
 * The one error of this module. `status` says what went wrong, whoever found it:
 *
 * | status | from this side |
 * | --- | --- |
 * | TIMEOUT | no answer in time |
 * | CONNECTION_FAILED | ubusd is not there, or went away meanwhile; whether a call took effect is not known |
 * | PARSE_ERROR | what came is not ubus |
 * | INVALID_ARGUMENT | what was to be sent can't be |
 * | NO_MEMORY | over a limit |
 *
 * A method that is served throws one to end its call with that status.
 */
export class UbusError extends Error {
  override readonly name = "UbusError";
  readonly status: UbusStatus;
  /** The status's number on the wire. */
  readonly code: number;
  /** The last table that came, or is to go, before the status: what a service says about its error. */
  readonly data: UbusTable | undefined;
  constructor(status: UbusStatus, message: string, options: { cause?: unknown; code?: number; data?: UbusTable } = {}) {
    super(message, options);
    this.status = status;
    this.code = options.code ?? statusCode(status);
    this.data = options.data;
  }
}

export const malformed = (message: string): UbusError => new UbusError("PARSE_ERROR", message);

/** A failure of any kind as a UbusError. */
export function asUbusError(error: unknown, status: UbusStatus, what: string): UbusError {
  if (error instanceof UbusError) return error;
  return new UbusError(status, `${what}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
}
