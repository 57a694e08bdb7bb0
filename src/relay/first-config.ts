import { isRelayName } from "../invite/names.ts";
import { bytesToText, textToBytes } from "../uci-parser/bytes.ts";
import { parseUci } from "../uci-parser/parse.ts";
import { quote } from "../uci-parser/print.ts";

/** What `binder relay init` asks or finds out; all else has its default. */
export interface FirstSettings {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly port: number;
}

/** The text of a new /etc/config/binder-relay. The values were checked. */
export function firstConfig({ name, addresses, port }: FirstSettings): string {
  const lines = [
    "config relay 'main'",
    "\toption enabled '1'",
    `\toption name ${quote(name)}`,
    ...addresses.map((address) => `\tlist address ${quote(address)}`),
    `\toption port ${quote(String(port))}`,
  ];
  return `${lines.join("\n")}\n`;
}

/** What `binder relay init` puts into a configuration that has no address yet; undefined: what is there stays. */
export interface MissingSettings {
  readonly name: string | undefined;
  readonly addresses: readonly string[];
  readonly port: number | undefined;
}

/** The text with these settings in its section; all else as it was, comments too. Throws a UciError if the text is no UCI. */
export function finishedConfig(bytes: Uint8Array, { name, addresses, port }: MissingSettings): Uint8Array {
  const text = bytesToText(bytes);
  const added = [
    ...(name === undefined ? [] : [`\toption name ${quote(name)}`]),
    ...addresses.map((address) => `\tlist address ${quote(address)}`),
    ...(port === undefined ? [] : [`\toption port ${quote(String(port))}`]),
  ];
  const section = parseUci(bytes).sections.find(({ type }) => type === "relay");
  if (section === undefined) return textToBytes([text.trimEnd(), "", "config relay 'main'", ...added, ""].join("\n"));
  const given = new Set([...(name === undefined ? [] : ["name"]), ...(port === undefined ? [] : ["port"])]);
  const replaced = new Set(section.options.flatMap((option) => (option.kind === "option" && given.has(option.name) ? [option.line] : [])));
  const lines = text.split("\n").flatMap((line, index) => {
    if (replaced.has(index + 1)) return [];
    return index + 1 === section.line ? [line, ...added] : [line];
  });
  return textToBytes(lines.join("\n"));
}

/** A relay's name from this machine's, so that two communities' relays seldom have the same. */
export function nameFromHost(hostname: string): string {
  const [label = ""] = hostname.trim().split(".");
  const name = label.replace(/[^A-Za-z0-9_]/g, "_").slice(0, 32);
  return isRelayName(name) ? name : "relay";
}
