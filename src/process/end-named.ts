import type { Host } from "../host/types.ts";
import { endProcess } from "./end.ts";
import { readRecord, recordNames, removeRecord } from "./record.ts";

/** Ends what runs under this name, whoever started it, and forgets it. Nothing there is no error. */
export async function endNamed(host: Host, name: string, signal: AbortSignal): Promise<void> {
  const record = await readRecord(host, name);
  if (record !== undefined) await endProcess(host, record, signal);
  await removeRecord(host, name);
}

/** Ends every program that Binder started and whose name `belongs`. */
export async function endAll(host: Host, belongs: (name: string) => boolean, signal: AbortSignal): Promise<void> {
  const names = (await recordNames(host)).filter(belongs);
  await Promise.all(names.map(async (name) => await endNamed(host, name, signal)));
}
