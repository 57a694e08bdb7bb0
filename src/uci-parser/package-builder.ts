import type { UciItem, UciOption, UciPackage, UciSection } from "./types.ts";

interface OpenOption {
  kind: UciOption["kind"];
  /** All values of a list; one of an option. */
  items: UciItem[];
  readonly overridden: number[];
}

/** A section that is being read. */
export interface OpenSection {
  readonly type: string;
  readonly name: string;
  readonly anonymous: boolean;
  readonly line: number;
  readonly reopened: number[];
  /** In the order of their first command. */
  readonly options: Map<string, OpenOption>;
}

/** Puts a package together as list.c does: sections and options with the same name are one, at the place of the first. */
export class PackageBuilder {
  readonly #sections: OpenSection[] = [];
  readonly #byName = new Map<string, OpenSection>();

  /** The first section with this name; a generated name counts too. */
  find(name: string): OpenSection | undefined {
    return this.#byName.get(name);
  }

  /** `name` empty: without a name. */
  addSection(type: string, name: string, line: number): OpenSection {
    const section: OpenSection = {
      type,
      name: name === "" ? generatedName(this.#sections.length + 1, type) : name,
      anonymous: name === "",
      line,
      reopened: [],
      options: new Map(),
    };
    this.#sections.push(section);
    if (!this.#byName.has(section.name)) this.#byName.set(section.name, section);
    return section;
  }

  /** An empty value changes nothing. */
  setOption(section: OpenSection, name: string, value: string, line: number): void {
    if (value === "") return;
    const option = section.options.get(name);
    if (option === undefined) {
      section.options.set(name, { kind: "option", items: [{ value, line }], overridden: [] });
      return;
    }
    option.overridden.push(...option.items.map((item) => item.line));
    option.kind = "option";
    option.items = [{ value, line }];
  }

  /** An option of that name becomes the list's first item. */
  addToList(section: OpenSection, name: string, value: string, line: number): void {
    const option = section.options.get(name);
    if (option === undefined) {
      section.options.set(name, { kind: "list", items: [{ value, line }], overridden: [] });
      return;
    }
    option.kind = "list";
    option.items.push({ value, line });
  }

  finish(): UciPackage {
    return {
      sections: this.#sections.map(({ options, ...section }): UciSection => ({ ...section, options: [...options].map(finishOption) })),
    };
  }
}

function finishOption([name, { kind, items, overridden }]: [string, OpenOption]): UciOption {
  const [first] = items;
  if (first === undefined) throw new Error(`option ${name} has no value`);
  return kind === "list" ? { kind, name, items, line: first.line, overridden } : { kind, name, ...first, overridden };
}

/** Number of the section in its package, from 1, and a hash of its type (list.c, uci_fixup_section; D. J. Bernstein's). */
export function generatedName(number: number, type: string): string {
  let hash = 5381;
  for (let i = 0; i < type.length; i++) hash = (hash * 33 + type.charCodeAt(i)) >>> 0;
  return `cfg${number.toString(16).padStart(2, "0")}${(hash & 0xffff).toString(16).padStart(4, "0")}`;
}
