import { RUN_DIRECTORY } from "../plan/run-directory.ts";
import type { Host } from "../host/types.ts";
import { identify } from "./identity.ts";
import { type ProcessRecord, type ProcessSpecification, writeRecord } from "./record.ts";

/** A log larger than this is begun anew (bytes): /run is memory. */
const LOG_LIMIT = 256 * 1024;

export const LOG_DIRECTORY = `${RUN_DIRECTORY}/log`;

export const logPathOf = (name: string): string => `${LOG_DIRECTORY}/${name}.log`;

export interface Started {
  readonly record: ProcessRecord;
  /** The next daemon will find it. False where the record could not be written: /run is full, for instance. */
  readonly recorded: boolean;
}

/**
 * Starts a program in a session of its own, its output in the log of this name, and records it under the name. `args` are added to its
 * own for this start. Rejects if it can't be started, or ends at once.
 */
export async function startProgram(
  host: Host,
  name: string,
  specification: ProcessSpecification,
  args: readonly string[] = [],
  onExit?: () => void,
): Promise<Started> {
  const log = logPathOf(name);
  await host.files.makeDirectory(LOG_DIRECTORY, 0o700);
  if (((await host.files.status(log))?.size ?? 0) > LOG_LIMIT) await host.files.remove(log);
  const pid = await host.processes.detach(specification.program, [...specification.args, ...args], {
    log,
    ...(specification.environment === undefined ? {} : { environment: specification.environment }),
    ...(onExit === undefined ? {} : { onExit }),
  });
  const identity = await identify(host, pid);
  if (identity === undefined) throw new Error(`${specification.program} ended at once; see ${log}`);
  const record = { ...identity, specification };
  return { record, recorded: await isWritten(host, name, record) };
}

/** Writes the record; false if that fails. */
export async function isWritten(host: Host, name: string, record: ProcessRecord): Promise<boolean> {
  try {
    await writeRecord(host, name, record);
    return true;
  } catch {
    return false;
  }
}
