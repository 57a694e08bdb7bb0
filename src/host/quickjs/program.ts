import * as native from "binder:native";
import { HostError, type Program } from "../types.ts";
import { Readiness } from "./readiness.ts";

const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;

export function writeTo(descriptor: typeof STDOUT | typeof STDERR, text: string | Uint8Array): void {
  native.writeWhole(descriptor, typeof text === "string" ? new TextEncoder().encode(text) : text);
}

/** Standard input is shared with others, a terminal's shell for one, so that it is read only when something is there. */
async function readStdin(limit: number): Promise<Uint8Array> {
  const readable = new Readiness(STDIN, false);
  let bytes = new Uint8Array();
  for (;;) {
    await readable.wait();
    const chunk = native.read(STDIN);
    if (chunk === undefined) continue;
    if (chunk.length === 0) return bytes;
    if (bytes.length + chunk.length > limit) throw new HostError("EFBIG", `standard input has more than ${limit} bytes`);
    const longer = new Uint8Array(bytes.length + chunk.length);
    longer.set(bytes);
    longer.set(chunk, bytes.length);
    bytes = longer;
  }
}

const handlers = new Map<string, (() => void)[]>();

export const quickjsProgram: Program = {
  args: native.args,
  stdinIsTerminal: native.isTerminal(STDIN),
  stdoutIsTerminal: native.isTerminal(STDOUT),
  readStdin,
  stdout: (text) => writeTo(STDOUT, text),
  stderr: (text) => writeTo(STDERR, text),
  onSignal(signal, handler) {
    const all = handlers.get(signal) ?? [];
    all.push(handler);
    handlers.set(signal, all);
    native.onSignal(signal, () => {
      for (const each of all) each();
    });
  },
  exit: (status) => native.exit(status),
};
