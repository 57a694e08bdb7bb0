import { strerror } from "std";
import { HostError } from "../types.ts";

/** Errnos 1 to 34 are the same on every architecture of Linux; those above differ and are not needed here. */
const NAMES: Readonly<Record<number, string>> = {
  1: "EPERM",
  2: "ENOENT",
  4: "EINTR",
  5: "EIO",
  9: "EBADF",
  11: "EAGAIN",
  12: "ENOMEM",
  13: "EACCES",
  16: "EBUSY",
  17: "EEXIST",
  18: "EXDEV",
  20: "ENOTDIR",
  21: "EISDIR",
  22: "EINVAL",
  23: "ENFILE",
  24: "EMFILE",
  26: "ETXTBSY",
  27: "EFBIG",
  28: "ENOSPC",
  30: "EROFS",
  32: "EPIPE",
};

/** An errno as the seam's error, with a text like Node's: `ENOENT: no such file or directory, open '/x'`. */
export function systemError(errno: number, call: string, path: string): HostError {
  const code = NAMES[errno] ?? "EIO";
  const text = strerror(errno);
  return new HostError(code, `${code}: ${text.charAt(0).toLowerCase()}${text.slice(1)}, ${call} '${path}'`);
}

/** What a call answered, unless it failed. */
export function checked(answer: number, call: string, path: string): number {
  if (answer < 0) throw systemError(-answer, call, path);
  return answer;
}

export function unsupported(what: string): HostError {
  return new HostError("ENOSYS", `${what} is not built for this engine yet`);
}
