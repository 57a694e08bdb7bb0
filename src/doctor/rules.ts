/** Binder's own rules begin here. */
const FIRST_OWN = 700;
/** The kernel's rule for its local table. */
const LOCAL = 0;

/**
 * The rules of `ip -4 -N rule show` that come before Binder's and are not Binder's (`proto` its protocol), as they are printed. A rule
 * that only leads to the local table, or by suppress_prefixlength takes nothing from a default route, is none.
 */
export function earlierRules(text: string, protocol: number): readonly string[] {
  return text.split("\n").flatMap((row) => {
    const [, digits, rest] = /^([0-9]+):\s*(.*)$/.exec(row.trim()) ?? [];
    if (digits === undefined || rest === undefined) return [];
    const preference = Number(digits);
    const own = new RegExp(`\\bproto ${protocol}\\b`).test(rest);
    const harmless = /\blookup (255|local)\b/.test(rest) || /\bsuppress_prefixlength\b/.test(rest);
    return preference > LOCAL && preference < FIRST_OWN && !own && !harmless ? [`${preference}: ${rest}`] : [];
  });
}
