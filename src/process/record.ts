import { RUN_DIRECTORY } from "../plan/run-directory.ts";
import type { Host } from "../host/types.ts";
import type { ProcessIdentity } from "./identity.ts";

/** What a program is started with. Two equal specifications need no restart. */
export interface ProcessSpecification {
  readonly program: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Grows or changes when a file that the program read at its start has changed, its configuration for instance. */
  readonly revision: string;
}

/** A started program, as kept in /var/run so that the next daemon finds it. */
export interface ProcessRecord extends ProcessIdentity {
  readonly specification: ProcessSpecification;
}

export const RECORD_DIRECTORY = `${RUN_DIRECTORY}/processes`;

const pathOf = (name: string): string => `${RECORD_DIRECTORY}/${name}.json`;

function isRecord(value: unknown): value is ProcessRecord {
  if (typeof value !== "object" || value === null) return false;
  if (!("pid" in value) || typeof value.pid !== "number" || !("startTime" in value) || typeof value.startTime !== "number") return false;
  if (!("specification" in value) || typeof value.specification !== "object" || value.specification === null) return false;
  const specification = value.specification;
  return (
    "program" in specification && typeof specification.program === "string" && "args" in specification && Array.isArray(specification.args)
  );
}

/** The record of this name; undefined if there is none that can be read. */
export async function readRecord(host: Host, name: string): Promise<ProcessRecord | undefined> {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(await host.files.read(pathOf(name))));
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export async function writeRecord(host: Host, name: string, record: ProcessRecord): Promise<void> {
  await host.files.makeDirectory(RECORD_DIRECTORY, 0o700);
  await host.files.replace(pathOf(name), new TextEncoder().encode(`${JSON.stringify(record)}\n`), 0o600);
}

export async function removeRecord(host: Host, name: string): Promise<void> {
  await host.files.remove(pathOf(name));
}

/** The names of all records. */
export async function recordNames(host: Host): Promise<readonly string[]> {
  if ((await host.files.status(RECORD_DIRECTORY)) === undefined) return [];
  return (await host.files.list(RECORD_DIRECTORY)).filter((file) => file.endsWith(".json")).map((file) => file.slice(0, -5));
}
