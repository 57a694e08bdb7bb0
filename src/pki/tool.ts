import { type Host, HostError } from "../host/types.ts";
import { PkiError } from "./error.ts";

/** Milliseconds. Making a key takes well under a second; a router's first random numbers may take longer. */
const LIMIT = 30_000;

/** Where each program comes from, for the person who lacks it. */
const PACKAGES = {
  openssl: "openssl (Debian) or openssl-util (OpenWrt)",
  openvpn: "openvpn (Debian) or openvpn-openssl (OpenWrt)",
} as const;

/** Runs openssl or openvpn to its end, without a shell. Throws a PkiError if it is missing or fails. */
export async function runTool(host: Host, program: keyof typeof PACKAGES, args: readonly string[], signal: AbortSignal): Promise<void> {
  const result = await host.processes.run(program, args, signal, { limit: LIMIT }).catch((cause: unknown) => {
    if (cause instanceof HostError && cause.code === "ENOENT") {
      throw new PkiError(`${program} is not installed: install the package ${PACKAGES[program]}`, { cause });
    }
    throw cause;
  });
  if (result.status === 0) return;
  // Openvpn reports on standard output, openssl on standard error.
  const said = lastWords(result.stderr) ?? lastWords(result.stdout) ?? "it said nothing";
  throw new PkiError(`${program} ${args[0] ?? ""} failed with status ${result.status}: ${said}`);
}

/** The last lines of a program's output, printable characters only, nothing of a PEM text. */
function lastWords(output: Uint8Array): string | undefined {
  const lines = new TextDecoder()
    .decode(output)
    .split("\n")
    .map((line) => line.replace(/[^\x20-\x7e]/g, " ").trim())
    .filter((line) => line !== "" && !line.startsWith("-----") && !/^[A-Za-z0-9+/=]{40,}$/.test(line));
  return lines.length === 0 ? undefined : lines.slice(-3).join("; ").slice(0, 400);
}
