import { test } from "../harness/index.ts";
import { areSame, bytes, directory, host, pattern, shell, text } from "./seam.ts";

const { files } = host;

test("a file is read whole, whatever its size is said to be, and what can't be read says why", async (t) => {
  const where = await directory(t);
  for (const size of [0, 1, 16_383, 16_384, 16_385, 1_000_003]) {
    await files.replace(`${where}/file`, pattern(size), 0o600);
    t.ok(areSame(await files.read(`${where}/file`), pattern(size)), `${String(size)} bytes`);
  }
  t.equal(text(await files.read("/proc/sys/kernel/ostype")), "Linux\n");
  await t.rejects(files.read(`${where}/none`), { name: "HostError", code: "ENOENT", message: /^ENOENT: no such file or directory, open/ });
  await t.rejects(files.read(where), { name: "HostError", code: "EISDIR" });
  await t.rejects(files.read(`${where}/file/below`), { name: "HostError", code: "ENOTDIR" });
  await t.rejects(files.read(`${where}/${"x".repeat(300)}`), { name: "HostError", code: "ENAMETOOLONG" });
});

test("a replaced file is new as a whole, has the mode that was asked for, and nothing is left beside it", async (t) => {
  const where = await directory(t);
  const seen = new Set<string>();
  await files.replace(`${where}/file`, bytes("a".repeat(300_000)), 0o600);
  for (let turn = 0; turn < 20; turn += 1) {
    const reads = Array.from({ length: 4 }, async () => seen.add(text(await files.read(`${where}/file`))));
    await Promise.all([files.replace(`${where}/file`, bytes((turn % 2 === 0 ? "b" : "a").repeat(300_000)), 0o600), ...reads]);
  }
  t.ok(
    [...seen].every((found) => found.length === 300_000 && /^(a+|b+)$/.test(found)),
    "never a part",
  );
  // Wider than any umask leaves it.
  for (const mode of [0o600, 0o644, 0o666, 0o777]) {
    await files.replace(`${where}/file`, bytes("text"), mode);
    t.equal((await files.status(`${where}/file`))?.mode, mode);
  }
  await files.replace(`${where}/part`, pattern(100).subarray(10, 20), 0o600);
  t.ok(areSame(await files.read(`${where}/part`), pattern(100).slice(10, 20)), "a view of a larger buffer");
  t.same(await files.list(where), ["file", "part"]);
});

test("a file that can't be replaced stays as it was, and nothing is left beside it", async (t) => {
  const where = await directory(t);
  await files.makeDirectory(`${where}/taken`, 0o755);
  await files.replace(`${where}/taken/inside`, bytes("still here"), 0o600);
  await t.rejects(files.replace(`${where}/taken`, bytes("new"), 0o600), { name: "HostError", code: "EISDIR" });
  await t.rejects(files.replace(`${where}/no/where`, bytes("new"), 0o600), { name: "HostError", code: "ENOENT" });
  t.same(await files.list(where), ["taken"]);
  t.equal(text(await files.read(`${where}/taken/inside`)), "still here");
});

test("what is poked is written into the file that is there, and none is made", async (t) => {
  const where = await directory(t);
  await files.replace(`${where}/file`, bytes("abcdef"), 0o600);
  await files.poke(`${where}/file`, bytes("XY"));
  t.equal(text(await files.read(`${where}/file`)), "XYcdef");
  await t.rejects(files.poke(`${where}/none`, bytes("X")), { name: "HostError", code: "ENOENT" });
  t.same(await files.list(where), ["file"]);
});

test("what a directory holds is listed in order", async (t) => {
  const where = await directory(t);
  for (const name of ["b", "ä", "a", ".hidden", "B", "10", "9"]) await files.replace(`${where}/${name}`, bytes(""), 0o600);
  t.same(await files.list(where), [".hidden", "10", "9", "B", "a", "b", "ä"]);
  await t.rejects(files.list(`${where}/none`), { name: "HostError", code: "ENOENT" });
  await t.rejects(files.list(`${where}/a`), { name: "HostError", code: "ENOTDIR" });
});

test("a status tells kind, mode, size and owner; links are followed", async (t) => {
  const where = await directory(t);
  await files.replace(`${where}/file`, bytes("text"), 0o640);
  await shell(`cd ${where} && ln -s file link && ln -s none dangling && mkfifo pipe`);
  const found = await files.status(`${where}/file`);
  t.match(found, { kind: "file", mode: 0o640, size: 4 });
  t.same(await files.status(`${where}/link`), found);
  t.match(await files.status(where), { kind: "directory", mode: 0o755 });
  t.equal((await files.status(`${where}/pipe`))?.kind, "other");
  for (const name of ["none", "dangling", "file/below"]) t.equal(await files.status(`${where}/${name}`), undefined, name);
});

test("a directory is made with its parents, and one that is there is left alone", async (t) => {
  const where = await directory(t);
  await files.makeDirectory(`${where}/a/b/c`, 0o777);
  t.match(await files.status(`${where}/a/b/c`), { kind: "directory", mode: 0o777 });
  await files.makeDirectory(`${where}/a/b/c`, 0o700);
  t.equal((await files.status(`${where}/a/b/c`))?.mode, 0o777);
  await files.makeDirectory(`${where}/a/b`, 0o700);
  await files.replace(`${where}/file`, bytes(""), 0o600);
  await t.rejects(files.makeDirectory(`${where}/file/x`, 0o700), { name: "HostError", code: "ENOTDIR" });
  await t.rejects(files.makeDirectory(`${where}/file/x/y`, 0o700), { name: "HostError", code: "ENOTDIR" });
});

test("a tree is removed with all in it, but for what its links lead to", async (t) => {
  const where = await directory(t);
  await files.makeDirectory(`${where}/tree/a/b/c`, 0o755);
  await files.replace(`${where}/tree/a/file`, bytes("x"), 0o400);
  await files.replace(`${where}/kept`, bytes("kept"), 0o600);
  await shell(`cd ${where} && mkdir keptdir && touch keptdir/inside && ln -s ../kept tree/link && ln -s ../keptdir tree/a/dirlink`);
  await files.remove(`${where}/tree`);
  t.same(await files.list(where), ["kept", "keptdir"]);
  t.same(await files.list(`${where}/keptdir`), ["inside"]);
  await files.remove(`${where}/kept`);
  await files.remove(`${where}/kept`);
  await files.remove(`${where}/no/where`);
  t.same(await files.list(where), ["keptdir"]);
});

test("a file gets another owner", async (t) => {
  const where = await directory(t);
  await files.replace(`${where}/file`, bytes(""), 0o600);
  const own = await files.status(`${where}/file`);
  if (own?.uid === 0) {
    await files.setOwner(`${where}/file`, 12, 34);
    t.match(await files.status(`${where}/file`), { uid: 12, gid: 34 });
  } else {
    await t.rejects(files.setOwner(`${where}/file`, 12, 34), { name: "HostError", code: "EPERM" });
  }
  await t.rejects(files.setOwner(`${where}/none`, 0, 0), { name: "HostError", code: "ENOENT" });
});
