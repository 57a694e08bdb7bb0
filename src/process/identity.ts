import type { Host } from "../host/types.ts";

/** A process told from any later one that gets the same pid. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Start time in clock ticks since boot (field 22 of /proc/PID/stat, proc(5)). */
  readonly startTime: number;
}

/** Who has this pid now; undefined if nobody, or only what is left of one that ended (a zombie). */
export async function identify(host: Host, pid: number): Promise<ProcessIdentity | undefined> {
  let text: string;
  try {
    text = new TextDecoder().decode(await host.files.read(`/proc/${pid}/stat`));
  } catch {
    return undefined;
  }
  // The program's name is in parentheses and may have spaces and parentheses of its own: count from the last one.
  const [state, ...fields] = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const startTime = Number(fields[18]);
  if (state === "Z" || state === "X" || !Number.isSafeInteger(startTime)) return undefined;
  return { pid, startTime };
}

export async function isRunning(host: Host, identity: ProcessIdentity): Promise<boolean> {
  return (await identify(host, identity.pid))?.startTime === identity.startTime;
}
