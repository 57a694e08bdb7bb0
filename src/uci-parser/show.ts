import { quote } from "./print.ts";
import type { UciOption, UciPackage } from "./types.ts";

export interface ShowOptions {
  /** `uci -X`: sections without a name by their generated names instead of `@type[index]`. Default false. */
  readonly generatedNames?: boolean;
}

/** What `uci show NAME` prints. */
export function showUci(uci: UciPackage, name: string, options: ShowOptions = {}): string {
  const counts = new Map<string, number>();
  let text = "";
  for (const section of uci.sections) {
    const index = counts.get(section.type) ?? 0;
    counts.set(section.type, index + 1);
    const reference = section.anonymous && options.generatedNames !== true ? `@${section.type}[${index}]` : section.name;
    text += `${name}.${reference}=${section.type}\n`;
    for (const option of section.options) text += `${name}.${reference}.${option.name}=${values(option).map(quote).join(" ")}\n`;
  }
  return text;
}

const values = (option: UciOption): readonly string[] => (option.kind === "list" ? option.items.map((item) => item.value) : [option.value]);
