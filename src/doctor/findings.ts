import { type Need, packagesFor, type System } from "./system.ts";
import type { Finding, Level } from "./types.ts";

export const well = (check: string, found: string): Finding => ({ check, level: "ok", found, advice: "", packages: [] });

export const bad = (level: Exclude<Level, "ok">, check: string, found: string, advice: string): Finding => ({
  check,
  level,
  found,
  advice,
  packages: [],
});

/** Something that a package brings; `otherwise` is the advice where this system has none for it. */
export function lacking(
  system: System,
  need: Need,
  finding: { readonly level: Exclude<Level, "ok">; readonly check: string; readonly found: string; readonly otherwise: string },
): Finding {
  const packages = packagesFor(system, need);
  const { level, check, found, otherwise } = finding;
  return { check, level, found, advice: packages.length > 0 ? `install ${packages.join(", ")}` : otherwise, packages };
}
