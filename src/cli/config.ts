import { type Host, HostError } from "../host/types.ts";
import { exportUci, isPackageName, parseUci, showUci, textToBytes, UciError, type UciPackage } from "../uci-parser/index.ts";
import { UsageError } from "./arguments.ts";
import { runCommand, STATUS } from "./frame.ts";

const usage = `usage: binder config export FILE
       binder config show [-X] FILE

Prints any UCI file as "uci export" or "uci show" would, or fails with uci's message. The package's name is the file's.

-X  with show: generated names of sections without a name, not @type[index]
`;

/** `binder config`: prints byte for byte what uci prints. Answers 1, with nothing on standard output, where uci fails. */
export async function configCommand(host: Host, args: readonly string[]): Promise<number> {
  const shape = { usage, flags: ["X"], positionals: { least: 2, most: 2 } };
  return await runCommand(host, args, "binder config", shape, async ({ flags, positionals: [command = "", file = ""] }) => {
    if (command !== "export" && command !== "show") throw new UsageError(`there is no "${command}"; --help tells what there is`);
    if (command === "export" && flags.has("X")) throw new UsageError("-X goes with show alone");
    const name = file.slice(file.lastIndexOf("/") + 1);
    try {
      const uci = await readPackage(host, file, name);
      const text = command === "export" ? exportUci(uci, name) : showUci(uci, name, { generatedNames: flags.has("X") });
      host.program.stdout(textToBytes(text));
      return STATUS.well;
    } catch (error) {
      if (!(error instanceof UciError || error instanceof HostError)) throw error;
      host.program.stderr(`uci: ${error instanceof UciError ? error.message : messageOf(error)}\n`);
      return STATUS.failed;
    }
  });
}

async function readPackage(host: Host, file: string, name: string): Promise<UciPackage> {
  if (!isPackageName(name)) throw new UciError("Parse error", "a package can't have this name", 1);
  const status = await host.files.status(file);
  if (status?.kind !== "file") throw new HostError("ENOENT", `${file} must be a file`);
  return parseUci(await host.files.read(file));
}

/** uci's words (libuci.c, uci_errstr). */
const messageOf = (error: HostError): string => (error.code === "ENOENT" ? "Entry not found" : "I/O error");
