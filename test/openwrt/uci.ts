import { exportUci, parseUci, textToBytes, type UciOption, type UciPackage, type UciSection } from "../../src/uci-parser/index.ts";

export interface Answer {
  readonly status: number;
  readonly text: string;
}

const well = (text = ""): Answer => ({ status: 0, text });
const failed: Answer = { status: 1, text: "" };

/** Where packages are kept. */
export interface UciFiles {
  readonly read: (name: string) => Uint8Array | undefined;
  readonly write: (name: string, bytes: Uint8Array) => void;
}

/**
 * Stands for OpenWrt's `uci`: export, get, set, add_list, delete and commit, of whole words as Binder's scripts use them. Changes are
 * seen at once and kept by commit, as there. Compared with the real program.
 */
export class Uci {
  readonly #files: UciFiles;
  readonly #changed = new Map<string, UciPackage>();

  constructor(files: UciFiles) {
    this.#files = files;
  }

  run(args: readonly string[]): Answer {
    const words = args.filter((word, index) => !["-q", "-S", "-n", "-P"].includes(word) && args[index - 1] !== "-P");
    const [command = "", argument = ""] = words;
    if (command === "commit") return this.#commit(argument);
    if (command === "export") {
      const found = this.#package(argument);
      if (found === undefined) return failed;
      // With -n those without a name are printed with the one that uci gives them.
      const named = args.includes("-n") ? { sections: found.sections.map((one) => ({ ...one, anonymous: false })) } : found;
      return well(exportUci(named, argument));
    }
    const [target = "", ...value] = argument.split("=");
    const [name = "", section = "", option] = target.split(".");
    const found = this.#package(name);
    if (found === undefined) return failed;
    const there = found.sections.find((one) => one.name === section);
    if (command === "get") {
      const text = option === undefined ? there?.type : valueOf(there?.options.find((one) => one.name === option));
      return text === undefined ? failed : well(`${text}\n`);
    }
    const changed = change(found.sections, there, { command, section, option, value: value.join("=") });
    if (changed === undefined) return failed;
    this.#changed.set(name, { sections: changed });
    return well();
  }

  #package(name: string): UciPackage | undefined {
    const bytes = this.#files.read(name);
    return this.#changed.get(name) ?? (bytes === undefined ? undefined : parseUci(bytes));
  }

  #commit(only: string): Answer {
    for (const [name, uci] of this.#changed) {
      if (only !== "" && name !== only) continue;
      // A file has no line that names the package, and an empty line first, as uci writes it.
      this.#files.write(name, textToBytes(exportUci(uci, name).replace(/^package .*\n/, "")));
      this.#changed.delete(name);
    }
    return well();
  }
}

const valueOf = (option: UciOption | undefined): string | undefined =>
  option === undefined || option.kind === "option" ? option?.value : option.items.map(({ value }) => value).join(" ");

interface Change {
  readonly command: string;
  readonly section: string;
  readonly option: string | undefined;
  readonly value: string;
}

/** The sections after a change; undefined if uci would refuse it. */
function change(
  sections: readonly UciSection[],
  there: UciSection | undefined,
  { command, section, option, value }: Change,
): readonly UciSection[] | undefined {
  if (option === undefined) {
    if (command === "delete") return there === undefined ? undefined : sections.filter((one) => one !== there);
    if (command !== "set" || value === "") return undefined;
    if (there !== undefined) return sections.map((one) => (one === there ? { ...one, type: value } : one));
    return [...sections, { type: value, name: section, anonymous: false, options: [], line: 1, reopened: [] }];
  }
  if (there === undefined) return undefined;
  const before = there.options.find((one) => one.name === option);
  const rest = there.options.filter((one) => one !== before);
  const put = (options: readonly UciOption[]): readonly UciSection[] => sections.map((one) => (one === there ? { ...one, options } : one));
  switch (command) {
    case "set":
      return put([...rest, { kind: "option", name: option, value, line: 1, overridden: [] }]);
    case "add_list": {
      const items = before?.kind === "list" ? before.items : [];
      return put([...rest, { kind: "list", name: option, items: [...items, { value, line: 1 }], line: 1, overridden: [] }]);
    }
    case "delete":
      return before === undefined ? undefined : put(rest);
    default:
      return undefined;
  }
}
