import * as os from "os";
import { type Files, type FileStatus, HostError } from "../types.ts";
import { checked, systemError, unsupported } from "./errors.ts";

const CHUNK = 65_536;
const ENOENT = 2;
const ENOTDIR = 20;

/** Everything up to the end of file; throws EFBIG beyond `limit` bytes. */
export function readAll(descriptor: number, name: string, limit: number): Uint8Array {
  let bytes = new Uint8Array(CHUNK);
  let size = 0;
  for (;;) {
    if (size === bytes.length) {
      const larger = new Uint8Array(bytes.length * 2);
      larger.set(bytes);
      bytes = larger;
    }
    const count = checked(os.read(descriptor, bytes.buffer, size, bytes.length - size), "read", name);
    if (count === 0) return bytes.slice(0, size);
    size += count;
    if (size > limit) throw new HostError("EFBIG", `${name} has more than ${limit} bytes`);
  }
}

function writeAll(descriptor: number, bytes: Uint8Array, name: string): void {
  // A copy, since the bytes may be a part of a larger buffer.
  const { buffer } = bytes.slice();
  if (!(buffer instanceof ArrayBuffer)) throw new TypeError("shared memory can't be written");
  for (let written = 0; written < bytes.length; ) {
    written += checked(os.write(descriptor, buffer, written, bytes.length - written), "write", name);
  }
}

function withFile<T>(path: string, flags: number, mode: number, use: (descriptor: number) => T): T {
  const descriptor = checked(os.open(path, flags, mode), "open", path);
  try {
    return use(descriptor);
  } finally {
    os.close(descriptor);
  }
}

async function read(path: string): Promise<Uint8Array> {
  return withFile(path, os.O_RDONLY, 0, (descriptor) => readAll(descriptor, path, Number.POSITIVE_INFINITY));
}

/** Whole or not at all, but not flushed: this engine has no fsync. The umask narrows `mode`. */
async function replace(path: string, bytes: Uint8Array, mode: number): Promise<void> {
  const temporary = `${path}.${os.getpid()}.new`;
  try {
    withFile(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode, (descriptor) => writeAll(descriptor, bytes, temporary));
    checked(os.rename(temporary, path), "rename", path);
  } catch (error) {
    os.remove(temporary);
    throw error;
  }
}

async function list(path: string): Promise<readonly string[]> {
  const [names, errno] = os.readdir(path);
  if (errno !== 0) throw systemError(errno, "scandir", path);
  return names.filter((name) => name !== "." && name !== "..").sort();
}

function kindOf(mode: number): FileStatus["kind"] {
  switch (mode & os.S_IFMT) {
    case os.S_IFREG:
      return "file";
    case os.S_IFDIR:
      return "directory";
    case os.S_IFSOCK:
      return "socket";
    default:
      return "other";
  }
}

async function status(path: string): Promise<FileStatus | undefined> {
  const [found, errno] = os.stat(path);
  if (found === null || errno !== 0) {
    if (errno === ENOENT || errno === ENOTDIR) return undefined;
    throw systemError(errno, "stat", path);
  }
  return { kind: kindOf(found.mode), mode: found.mode & 0o7777, size: found.size, uid: found.uid, gid: found.gid };
}

export const quickjsFiles: Files = {
  read,
  replace,
  list,
  status,
  poke: async (path, bytes) => withFile(path, os.O_RDWR, 0, (descriptor) => writeAll(descriptor, bytes, path)),
  makeDirectory: async () => Promise.reject(unsupported("making directories")),
  remove: async () => Promise.reject(unsupported("removing files")),
  setOwner: async () => Promise.reject(unsupported("changing owners")),
};
