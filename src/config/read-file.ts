import { parseUci, UciError, type UciPackage } from "../uci-parser/index.ts";
import { labelOf, SectionReader } from "./section-reader.ts";
import type { ConfigError } from "./types.ts";

/** A valid configuration, or all that is wrong with it, by line. */
export type ConfigResult<T> = { readonly ok: true; readonly config: T } | { readonly ok: false; readonly errors: readonly ConfigError[] };

/** Answers what `read` makes of the text unless an error is reported. `file` is the name that errors give. */
export function readFile<T>(file: string, bytes: Uint8Array, read: (uci: UciPackage, errors: ConfigError[]) => T): ConfigResult<T> {
  const errors: ConfigError[] = [];
  let config: T;
  try {
    config = read(parseUci(bytes), errors);
  } catch (error) {
    if (!(error instanceof UciError)) throw error;
    const rule = `is no UCI text from this line on: ${error.reason}`;
    return { ok: false, errors: [{ file, line: error.line, section: "", option: "", rule, value: "" }] };
  }
  return errors.length === 0 ? { ok: true, config } : { ok: false, errors: errors.sort((a, b) => a.line - b.line) };
}

/** Readers of the file's sections by type, in the file's order. Sections of other types are reported. */
export function readersOf(
  file: string,
  uci: UciPackage,
  errors: ConfigError[],
  types: readonly string[],
): (type: string) => readonly SectionReader[] {
  const readers: SectionReader[] = [];
  for (const section of uci.sections) {
    if (types.includes(section.type)) {
      readers.push(new SectionReader(file, section, errors));
    } else {
      const rule = `is no section of this file; those are ${types.join(", ")}`;
      errors.push({ file, line: section.line, section: labelOf(section), option: "", rule, value: section.type });
    }
  }
  return (type) => readers.filter((reader) => reader.section.type === type);
}

/** The reader of the section that is there once, with the name `main`; undefined where it is absent. Others of its type are reported. */
export function mainReader(readers: readonly SectionReader[]): SectionReader | undefined {
  for (const reader of readers) {
    if (reader.name !== "main" && !reader.section.anonymous)
      reader.fail("", `must have the name 'main': there is one ${reader.section.type} section`);
  }
  return readers.find((reader) => reader.name === "main");
}
