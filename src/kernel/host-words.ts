import { HostError } from "../host/types.ts";

/** What is wrong when a program could not be run, and what to do about it. */
export function hostWords(error: unknown, program: string, packages: string): string {
  if (error instanceof HostError && error.code === "ENOENT") return `there is no program ${program}: install ${packages}`;
  return error instanceof Error ? error.message : String(error);
}
