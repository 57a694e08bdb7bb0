/** What requests end with, each at its number on the wire (ubusmsg.h, enum ubus_msg_status). */
export const STATUSES = [
  "OK",
  "INVALID_COMMAND",
  "INVALID_ARGUMENT",
  "METHOD_NOT_FOUND",
  "NOT_FOUND",
  "NO_DATA",
  "PERMISSION_DENIED",
  "TIMEOUT",
  "NOT_SUPPORTED",
  "UNKNOWN_ERROR",
  "CONNECTION_FAILED",
  "NO_MEMORY",
  "PARSE_ERROR",
  "SYSTEM_ERROR",
] as const;

export type UbusStatus = (typeof STATUSES)[number];

/** The name of a status on the wire; one that has no name is an UNKNOWN_ERROR. */
export const statusName = (code: number): UbusStatus => STATUSES[code] ?? "UNKNOWN_ERROR";

export const statusCode = (status: UbusStatus): number => STATUSES.indexOf(status);

/** The name as words: `permission denied`. */
export const statusWords = (status: UbusStatus): string => status.toLowerCase().replaceAll("_", " ");
