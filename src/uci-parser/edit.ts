import { bytesToText, textToBytes } from "./bytes.ts";
import { isName, isType } from "./characters.ts";
import { parseUci } from "./parse.ts";
import { printSection, printUci } from "./print.ts";
import type { UciOption, UciPackage, UciSection } from "./types.ts";

/** What an edit puts in. Text is bytes in a string, as everywhere here; ASCII needs no conversion. */
export interface NewSection {
  readonly type: string;
  readonly name: string;
  /** By name: one value is an option, several are a list. What is empty is left out, for it counts as absent. */
  readonly options: Readonly<Record<string, string | readonly string[]>>;
}

/** The package with this section in the place of the one of its name, or at the end. Throws a RangeError at what UCI can't hold. */
export function withSection(uci: UciPackage, wanted: NewSection): UciPackage {
  const section = sectionOf(wanted);
  const index = uci.sections.findIndex(({ name }) => name === wanted.name);
  if (index < 0) return { sections: [...uci.sections, section] };
  return { sections: uci.sections.map((there, i) => (i === index ? section : there)) };
}

/**
 * The text with this section in the place of the one of its name, or at the end. Everything else stays as it is written, comments
 * too, unless the text is so unusual (several commands on a line, a section in two places) that it has to be printed anew.
 * Throws a UciError if the text is none, a RangeError at what UCI can't hold.
 */
export function putSection(bytes: Uint8Array, wanted: NewSection): Uint8Array {
  const before = parseUci(bytes);
  const after = withSection(before, wanted);
  const print = printUci(after);
  if (print === printUci(before)) return bytes;

  const edited = textToBytes(spliceSection(bytesToText(bytes), before, sectionOf(wanted)));
  return parsesTo(edited, print) ? edited : textToBytes(print);
}

function parsesTo(bytes: Uint8Array, print: string): boolean {
  try {
    return printUci(parseUci(bytes)) === print;
  } catch {
    return false;
  }
}

function spliceSection(text: string, uci: UciPackage, section: UciSection): string {
  const printed = printSection(section);
  const index = uci.sections.findIndex(({ name }) => name === section.name);
  const there = uci.sections[index];
  if (there === undefined) return text === "" ? printed : `${text}${text.endsWith("\n") ? "" : "\n"}\n${printed}`;

  const lines = text.split("\n");
  const start = there.line - 1;
  let end = (uci.sections[index + 1]?.line ?? lines.length + 1) - 1;
  // Comments and blank lines before the next section belong to that one.
  while (end > start + 1 && /^\s*(#.*)?$/.test(lines[end - 1] ?? "")) end--;
  return [...lines.slice(0, start), printed.slice(0, -1), ...lines.slice(end)].join("\n");
}

function sectionOf({ type, name, options }: NewSection): UciSection {
  if (!isType(type)) throw new RangeError(`a section's type must be printable characters without spaces: '${type}'`);
  if (!isName(name)) throw new RangeError(`a section's name must be letters, digits and '_': '${name}'`);
  const made = Object.entries(options).flatMap(([option, value]) => optionOf(option, value));
  return { type, name, anonymous: false, options: made, line: 0, reopened: [] };
}

function optionOf(name: string, value: string | readonly string[]): readonly UciOption[] {
  if (!isName(name)) throw new RangeError(`an option's name must be letters, digits and '_': '${name}'`);
  for (const text of typeof value === "string" ? [value] : value) {
    if (/[^\u0001-\u00ff]/.test(text)) throw new RangeError(`the value of ${name} must be bytes without NUL`);
  }
  if (value.length === 0) return [];
  if (typeof value === "string") return [{ kind: "option", name, value, line: 0, overridden: [] }];
  return [{ kind: "list", name, items: value.map((item) => ({ value: item, line: 0 })), line: 0, overridden: [] }];
}
