import { writeSync } from "node:fs";
import { HostError, type Program } from "../types.ts";
import { hasCode } from "../errors.ts";

/** Writes all of it now: what is printed before exit() must be out, and a pipe may take only a part. */
function writeAll(descriptor: number, bytes: Uint8Array): void {
  let written = 0;
  while (written < bytes.length) {
    try {
      written += writeSync(descriptor, bytes, written);
    } catch (error) {
      // The reader left: nothing more to say to it.
      if (hasCode(error, "EPIPE")) return;
      if (!hasCode(error, "EAGAIN")) throw error;
    }
  }
}

const encode = (text: string | Uint8Array): Uint8Array => (typeof text === "string" ? new TextEncoder().encode(text) : text);

export const nodeProgram: Program = {
  args: process.argv.slice(2),
  stdinIsTerminal: process.stdin.isTTY,
  stdoutIsTerminal: process.stdout.isTTY,
  async readStdin(limit) {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of process.stdin) {
      if (!Buffer.isBuffer(chunk)) continue;
      size += chunk.length;
      if (size > limit) throw new HostError("EFBIG", `standard input has more than ${limit} bytes`);
      chunks.push(chunk);
    }
    return new Uint8Array(Buffer.concat(chunks));
  },
  stdout: (text) => {
    writeAll(1, encode(text));
  },
  stderr: (text) => {
    writeAll(2, encode(text));
  },
  onSignal(signal, handler) {
    process.on(signal, handler);
  },
  exit: (status) => process.exit(status),
};
