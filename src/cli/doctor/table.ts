import type { Diagnosis } from "../../doctor/diagnose.ts";
import type { Finding, Level } from "../../doctor/types.ts";

const marks: Readonly<Record<Level, string>> = { ok: "ok", warning: "warning", error: "ERROR" };

/** The doctor's findings for a person: a line each, what to do below it, and at the end what it comes to. */
export function renderDiagnosis({ system, findings, install }: Diagnosis): string {
  const levelWidth = Math.max(...Object.values(marks).map((mark) => mark.length));
  const checkWidth = Math.max(0, ...findings.map(({ check }) => check.length));
  const row = ({ level, check, found, advice }: Finding): readonly string[] => [
    `${marks[level].padEnd(levelWidth)}  ${check.padEnd(checkWidth)}  ${found}`,
    ...(advice === "" ? [] : [`${" ".repeat(levelWidth + checkWidth + 4)}-> ${advice}`]),
  ];
  return [
    system,
    "",
    ...findings.flatMap(row),
    "",
    summary(findings),
    ...(install === "" ? [] : ["", `To install what is missing:  ${install}`]),
    "",
  ].join("\n");
}

function summary(findings: readonly Finding[]): string {
  const count = (level: Level): number => findings.filter((finding) => finding.level === level).length;
  const [errors, warnings] = [count("error"), count("warning")];
  if (errors > 0)
    return `${several(errors, "error")} and ${several(warnings, "warning")}: Binder can't do its work on this machine until the errors are mended.`;
  if (warnings > 0) return `No error found, ${several(warnings, "warning")}: Binder should run on this machine.`;
  return "All is well: this machine has what Binder needs.";
}

const several = (count: number, thing: string): string => `${count} ${thing}${count === 1 ? "" : "s"}`;
