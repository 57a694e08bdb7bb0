import { checkConfiguration, checkConflicts } from "./conflict-checks.ts";
import { checkKernel } from "./kernel-checks.ts";
import { checkMachine } from "./machine-checks.ts";
import { checkPrograms } from "./program-checks.ts";
import { installCommand } from "./system.ts";
import type { Facts, Finding } from "./types.ts";

export interface Diagnosis {
  /** No finding is an error. */
  readonly ok: boolean;
  readonly system: string;
  readonly findings: readonly Finding[];
  /** What to type to install all that is missing; empty if nothing is. */
  readonly install: string;
}

/** Judges a machine by its facts. Pure. */
export function diagnose(facts: Facts): Diagnosis {
  const findings = [
    ...checkKernel(facts),
    ...checkPrograms(facts),
    ...checkMachine(facts),
    ...checkConflicts(facts),
    ...checkConfiguration(facts),
  ];
  return {
    ok: findings.every(({ level }) => level !== "error"),
    system: facts.system.name,
    findings,
    install: installCommand(
      facts.system,
      findings.flatMap(({ packages }) => packages),
    ),
  };
}
