import { type Host, HostError } from "../../host/types.ts";
import { INVITE_SCHEME } from "../../invite/codec.ts";
import { UsageError } from "../arguments.ts";
import { CommandError, STATUS } from "../frame.ts";

/** Bytes. Ten times what an invite may have, so that a wrong file is told from a long paste. */
const LIMIT = 65_536;

/** The text of a file, or of standard input (`-`). */
export async function readPasted(host: Host, source: string): Promise<string> {
  if (source.startsWith(INVITE_SCHEME)) {
    throw new UsageError(
      "an invite is not given as an argument: it holds a private key, and would stay in the shell's history and show in the list of processes; " +
        "run binder join alone and paste it, then Ctrl-D. As this one has been shown, ask for a new one (binder relay rekey)",
    );
  }
  if (source === "-") {
    if (host.program.stdinIsTerminal) host.program.stderr("Paste the invite, then press Enter and Ctrl-D:\n");
    return new TextDecoder().decode(await host.program.readStdin(LIMIT).catch(tooLong));
  }
  // The host's paths are absolute; a person's are from where they stand.
  const path = source.startsWith("/") ? source : `/proc/self/cwd/${source}`;
  const status = await host.files.status(path);
  if (status === undefined) throw new CommandError(STATUS.failed, `there is no file ${source}`);
  if (status.kind === "directory") throw new CommandError(STATUS.failed, `${source} is a folder, not an invite`);
  if (status.size > LIMIT) throw tooLongError();
  return new TextDecoder().decode(await host.files.read(path));
}

function tooLong(cause: unknown): never {
  throw cause instanceof HostError && cause.code === "EFBIG" ? tooLongError(cause) : cause;
}

const tooLongError = (cause?: unknown): CommandError =>
  new CommandError(STATUS.failed, "that is far too long for an invite: give the one line that binder relay add-home printed", { cause });
