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
  if (section === undefined)
    return textToBytes(`${text}${text === "" || text.endsWith("\n") ? "" : "\n"}\nconfig relay ${quote(relay.name)}\n${linesOf(relay)}`);
  if (section.type !== "relay") {
    throw new CommandError(
      STATUS.configuration,
      `line ${section.line}: a ${section.type} has the name ${relay.name} already: give that one another name`,
    );
  }
  if (says(section, relay)) return undefined;
  const wanted = replaceSection(before, section, relay);
  const edited = textToBytes(replaceLines(text, section, relay));
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

function replaceSection(uci: UciPackage, section: UciSection, relay: RelayEntry): UciPackage {
  const { line } = section;
  const addresses: UciOption = {
    kind: "list",
    name: "address",
    items: relay.addresses.map((value) => ({ value, line })),
    line,
    overridden: [],
  };
  const port: UciOption = { kind: "option", name: "port", value: String(relay.port), line, overridden: [] };
  const options = [addresses, port, ...section.options.filter((option) => !isOurs(option))];
  return { sections: uci.sections.map((other) => (other === section ? { ...section, options } : other)) };
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
