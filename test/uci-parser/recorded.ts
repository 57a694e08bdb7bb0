import { textToBytes } from "../../src/uci-parser/index.ts";
import recorded from "./recorded.jsonl" with { type: "text" };
import vectors from "./vectors.jsonl" with { type: "text" };

/** What the real uci made of a text, as a file with the name `t`. Outputs are bytes in strings. */
export interface Recorded {
  readonly name: string;
  readonly input: Uint8Array;
  readonly status: number;
  readonly exported: string;
  readonly shown: string;
  readonly shownGenerated: string;
  /** Without the newline; empty if there was none. */
  readonly error: string;
}

/** One line of a file. Texts that are not UTF-8 are in the field with `_hex` alone. */
interface Line {
  readonly name: string;
  readonly input_hex: string;
  readonly rc: number;
  readonly export: string | null;
  readonly export_hex?: string;
  readonly show: string | null;
  readonly show_hex?: string;
  readonly show_X: string | null;
  readonly show_X_hex?: string;
  readonly error: string | null;
}

export const cases: readonly Recorded[] = [...vectors.split("\n"), ...recorded.split("\n")].filter((line) => line !== "").map(parseLine);

function parseLine(text: string): Recorded {
  const line = JSON.parse(text) as Line;
  return {
    name: line.name,
    input: textToBytes(unhex(line.input_hex)),
    status: line.rc,
    exported: output(line.export, line.export_hex),
    shown: output(line.show, line.show_hex),
    shownGenerated: output(line.show_X, line.show_X_hex),
    error: line.error ?? "",
  };
}

function output(text: string | null, hex: string | undefined): string {
  if (hex !== undefined) return unhex(hex);
  return String.fromCharCode(...new TextEncoder().encode(text ?? ""));
}

function unhex(hex: string): string {
  return hex.replace(/../g, (pair) => String.fromCharCode(Number.parseInt(pair, 16)));
}
