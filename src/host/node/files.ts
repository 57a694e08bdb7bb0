import { randomBytes } from "node:crypto";
import { chmod, chown, mkdir, open, readdir, readFile, rename, rm, stat, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import type { Files, FileStatus } from "../types.ts";
import { hasCode, translated } from "../errors.ts";

async function replace(path: string, bytes: Uint8Array, mode: number): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString("hex")}.new`;
  const file = await open(temporary, "wx", mode);
  try {
    // The umask has narrowed what open() was given.
    await file.chmod(mode);
    await file.writeFile(bytes);
    await file.sync();
    await file.close();
    await rename(temporary, path);
  } catch (error) {
    await file.close().catch(() => undefined);
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
  await flushDirectory(dirname(path));
}

/** A rename survives a loss of power only once its directory is on the disk. */
async function flushDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } catch (error) {
    if (!hasCode(error, "EINVAL")) throw error;
  } finally {
    await directory.close();
  }
}

async function status(path: string): Promise<FileStatus | undefined> {
  try {
    const found = await stat(path);
    const kind = found.isFile() ? "file" : found.isDirectory() ? "directory" : found.isSocket() ? "socket" : "other";
    return { kind, mode: found.mode & 0o7777, size: found.size, uid: found.uid, gid: found.gid };
  } catch (error) {
    if (hasCode(error, "ENOENT") || hasCode(error, "ENOTDIR")) return undefined;
    throw error;
  }
}

async function poke(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, "r+");
  try {
    await file.write(bytes);
  } finally {
    await file.close();
  }
}

async function makeDirectory(path: string, mode: number): Promise<void> {
  if ((await status(path))?.kind === "directory") return;
  // What goes wrong with the directories that lead to it shows when it is made.
  await mkdir(dirname(path), { recursive: true, mode: 0o755 }).catch(() => undefined);
  try {
    await mkdir(path, { mode });
  } catch (error) {
    if (hasCode(error, "EEXIST")) return;
    throw error;
  }
  // The umask has narrowed what mkdir() was given.
  await chmod(path, mode);
}

export const nodeFiles: Files = {
  read: async (path) => await translated(async () => new Uint8Array(await readFile(path))),
  replace: async (path, bytes, mode) => await translated(async () => await replace(path, bytes, mode)),
  poke: async (path, bytes) => await translated(async () => await poke(path, bytes)),
  list: async (path) => await translated(async () => (await readdir(path)).sort()),
  status: async (path) => await translated(async () => await status(path)),
  makeDirectory: async (path, mode) => await translated(async () => await makeDirectory(path, mode)),
  remove: async (path) => await translated(async () => await rm(path, { recursive: true, force: true })),
  setOwner: async (path, uid, gid) => await translated(async () => await chown(path, uid, gid)),
};
