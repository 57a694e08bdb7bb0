import { isType } from "./characters.ts";
import type { UciOption, UciPackage, UciSection } from "./types.ts";

/** A value in single quotes, as uci writes it. */
export const quote = (value: string): string => `'${escape(value)}'`;

const escape = (value: string): string => value.replaceAll("'", "'\\''");

/**
 * What `uci export NAME` prints. Types are not quoted, so a type with `#`, `;`, `\` or a quote does not come back when this is read:
 * to write a file use {@link printUci}.
 */
export function exportUci(uci: UciPackage, name: string): string {
  return `package ${escape(name)}\n${body(uci, escape)}`;
}

/** A text that parses to the same package: that of `uci commit`, but for types that must be quoted to come back. */
export function printUci(uci: UciPackage): string {
  return body(uci, quoteType);
}

/** One section, as in {@link printUci}. */
export function printSection(section: UciSection): string {
  return sectionText(section, quoteType);
}

const quoteType = (type: string): string => (/[#;\\'"]/.test(type) ? quote(type) : type);

function body(uci: UciPackage, printType: (type: string) => string): string {
  return `${uci.sections.map((section) => `\n${sectionText(section, printType)}`).join("")}\n`;
}

function sectionText(section: UciSection, printType: (type: string) => string): string {
  const name = section.anonymous ? "" : ` ${quote(section.name)}`;
  return `config ${printType(section.type)}${name}\n${section.options.map(printOption).join("")}`;
}

function printOption(option: UciOption): string {
  switch (option.kind) {
    case "option":
      return `\toption ${option.name} ${quote(option.value)}\n`;
    case "list":
      return option.items.map((item) => `\tlist ${option.name} ${quote(item.value)}\n`).join("");
  }
}

/** Whether uci takes this for the name of a package, that is of a file. */
export const isPackageName = isType;
