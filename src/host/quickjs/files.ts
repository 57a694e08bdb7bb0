import * as native from "binder:native";
import { translated } from "../errors.ts";
import type { Files } from "../types.ts";

export const quickjsFiles: Files = {
  read: async (path) => await translated(async () => native.readFile(path)),
  replace: async (path, bytes, mode) => await translated(async () => native.replaceFile(path, bytes, mode)),
  poke: async (path, bytes) => await translated(async () => native.pokeFile(path, bytes)),
  list: async (path) => await translated(async () => native.listFolder(path).sort()),
  status: async (path) => await translated(async () => native.statusOf(path)),
  makeDirectory: async (path, mode) => await translated(async () => native.makeFolder(path, mode)),
  remove: async (path) => await translated(async () => native.removeAll(path)),
  setOwner: async (path, uid, gid) => await translated(async () => native.setOwner(path, uid, gid)),
};
