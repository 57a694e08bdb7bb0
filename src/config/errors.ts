import { textToBytes } from "../uci-parser/index.ts";
import type { ConfigError } from "./types.ts";

const SHOWN = 80;

/** One line: `FILE:LINE: gateway 'school': via '300.1.1.1' must be …`. Control characters are shown as `\x0a`, long values cut. */
export function formatConfigError(error: ConfigError): string {
  const value = error.value === "" ? "" : ` '${shown(error.value)}'`;
  const option = error.option === "" ? "" : `: ${shown(error.option)}${value}`;
  const subject = `${shown(error.section)}${option}`;
  return `${error.file}:${error.line}: ${subject === "" ? "" : `${subject} `}${error.rule}.`;
}

/** Text of the UCI parser, a unit a byte, for a person: as UTF-8 if it is that, else what is not ASCII as `\xe9`. */
export function readable(bytes: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(textToBytes(bytes));
  } catch {
    return escapeUnits(bytes, (unit) => unit >= 0x80);
  }
}

/** C0 controls, DEL, and C1 controls: what could drive a terminal or end a line of another program's text. */
const isControl = (unit: number): boolean => unit < 0x20 || (unit >= 0x7f && unit < 0xa0);

/** Whether a text of the UCI parser's has one of the ASCII control characters. */
export function hasControl(bytes: string): boolean {
  for (let i = 0; i < bytes.length; i++) {
    const unit = bytes.charCodeAt(i);
    if (unit < 0x80 && isControl(unit)) return true;
  }
  return false;
}

function shown(text: string): string {
  return escapeUnits(text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text, isControl);
}

function escapeUnits(text: string, unsafe: (unit: number) => boolean): string {
  let escaped = "";
  for (const character of text) {
    const unit = character.charCodeAt(0);
    escaped += unsafe(unit) ? `\\x${unit.toString(16).padStart(2, "0")}` : character;
  }
  return escaped;
}
