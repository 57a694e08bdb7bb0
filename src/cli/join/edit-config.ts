import { DEFAULT_BASE_PORT } from "../../plan/numbers.ts";
import {
  bytesToText,
  exportUci,
  parseUci,
  printUci,
  textToBytes,
  type UciOption,
  type UciPackage,
  type UciSection,
} from "../../uci-parser/index.ts";
import { quote } from "../../uci-parser/print.ts";
import { CommandError, STATUS } from "../frame.ts";

/** What a home's configuration says of a relay, as far as an invite decides it. */
export interface RelayEntry {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly port: number;
}

/** What a home has that had no configuration yet. */
const FIRST = "config binder 'main'\n\toption enabled '1'\n";

/**
 * The configuration with this relay's section added, or its addresses and port brought up to date; all else, comments too, stays byte
 * for byte. `bytes` is undefined where there is no file; the answer is undefined where nothing needs to change. Throws a UciError if
 * the file is no UCI, and a CommandError if the name is taken by a section of another type.
 */
export function editConfig(bytes: Uint8Array | undefined, relay: RelayEntry): Uint8Array | undefined {
  const text = bytes === undefined ? FIRST : bytesToText(bytes);
  const before = parseUci(textToBytes(text));
  const section = before.sections.find(({ name }) => name === relay.name);
  if (section !== undefined && section.type !== "relay") {
    throw new CommandError(
      STATUS.configuration,
      `line ${section.line}: a ${section.type} has the name ${relay.name} already: give that one another name`,
    );
  }
  if (section !== undefined && says(section, relay)) return undefined;
  const wanted = section === undefined ? appendSection(before, relay) : replaceSection(before, section, relay);
  const edited = textToBytes(section === undefined ? appendLines(text, relay) : replaceLines(text, section, relay));
  // Lines are not commands: with a value over several lines, or several commands in one, the whole file is printed anew.
  return sameAs(edited, wanted) ? edited : textToBytes(printUci(wanted));
}

/** What the invite decides. */
const isOurs = (option: UciOption): boolean => option.name === "address" || option.name === "port";

const linesOf = (relay: RelayEntry): string =>
  `${relay.addresses.map((address) => `\tlist address ${quote(address)}\n`).join("")}\toption port ${quote(String(relay.port))}\n`;

function says(section: UciSection, relay: RelayEntry): boolean {
  const values = (name: string): readonly string[] => {
    const option = section.options.find((candidate) => candidate.name === name);
    if (option === undefined) return [];
    return option.kind === "list" ? option.items.map(({ value }) => value) : option.value.split(" ");
  };
  const [port = String(DEFAULT_BASE_PORT)] = values("port");
  return values("address").join(" ") === relay.addresses.join(" ") && port === String(relay.port);
}

function optionsOf(relay: RelayEntry): readonly UciOption[] {
  const items = relay.addresses.map((value) => ({ value, line: 0 }));
  return [
    { kind: "list", name: "address", items, line: 0, overridden: [] },
    { kind: "option", name: "port", value: String(relay.port), line: 0, overridden: [] },
  ];
}

function appendSection(uci: UciPackage, relay: RelayEntry): UciPackage {
  const section = { type: "relay", name: relay.name, anonymous: false, options: optionsOf(relay), line: 0, reopened: [] };
  return { sections: [...uci.sections, section] };
}

function replaceSection(uci: UciPackage, section: UciSection, relay: RelayEntry): UciPackage {
  const options = [...optionsOf(relay), ...section.options.filter((option) => !isOurs(option))];
  return { sections: uci.sections.map((other) => (other === section ? { ...section, options } : other)) };
}

function appendLines(text: string, relay: RelayEntry): string {
  return `${text}${text === "" || text.endsWith("\n") ? "" : "\n"}\nconfig relay ${quote(relay.name)}\n${linesOf(relay)}`;
}

function replaceLines(text: string, section: UciSection, relay: RelayEntry): string {
  const dropped = new Set(section.options.filter(isOurs).flatMap(linesOfOption));
  const added = linesOf(relay).trimEnd().split("\n");
  const lines = text.split("\n").flatMap((line, index) => {
    if (dropped.has(index + 1)) return [];
    return index + 1 === section.line ? [line, ...added] : [line];
  });
  return lines.join("\n");
}

function linesOfOption(option: UciOption): readonly number[] {
  return option.kind === "list" ? [...option.items.map(({ line }) => line), ...option.overridden] : [option.line, ...option.overridden];
}

/** Whether the text parses to this package; the places of things don't count. */
function sameAs(bytes: Uint8Array, wanted: UciPackage): boolean {
  try {
    return exportUci(parseUci(bytes), "binder") === exportUci(wanted, "binder");
  } catch {
    return false;
  }
}
