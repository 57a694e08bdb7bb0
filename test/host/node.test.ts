import { mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHost } from "../../src/host/node.ts";
import type { Datagram } from "../../src/host/types.ts";
import { type Test, test } from "../harness/index.ts";
import { until } from "../net/household.ts";

const { files, clock, processes, sockets } = createHost();
const stay = new AbortController().signal;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (data: Uint8Array): string => new TextDecoder().decode(data);

function directory(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), "binder-host-"));
  t.teardown(() => {
    rmSync(path, { recursive: true });
  });
  return path;
}

/** Fields of proc_pid_stat(5) after the name: state, parent, group, session. */
function statOf(pid: number): readonly string[] {
  const stat = readFileSync(`/proc/${String(pid)}/stat`, "utf8");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

/** Killed, and at most waiting to be reaped. */
function isGone(pid: number): boolean {
  try {
    return statOf(pid)[0] === "Z";
  } catch {
    return true;
  }
}

const descriptorsOf = (pid: number): ReadonlyMap<number, string> =>
  new Map(readdirSync(`/proc/${String(pid)}/fd`).map((fd) => [Number(fd), readlinkSync(`/proc/${String(pid)}/fd/${fd}`)]));

/** What this process was given by who started it, and gives on: what it opens itself is closed by exec() (O_CLOEXEC). */
function inheritedFiles(): ReadonlySet<string> {
  const handedOn = readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1] ?? "0";
      return (Number.parseInt(flags, 8) & 0o2000000) === 0 ? [readlinkSync(`/proc/self/fd/${fd}`)] : [];
    } catch {
      // It was open for the list alone.
      return [];
    }
  });
  return new Set(handedOn);
}

test("a reader of a file that is replaced has the old text or the new, whole", async (t) => {
  const path = join(directory(t), "config");
  const texts = ["a", "b"].map((letter) => letter.repeat(300_000));
  await files.replace(path, bytes(texts[0] ?? ""), 0o600);
  const seen = new Set<string>();
  for (let turn = 0; turn < 40 || seen.size < 2; turn += 1) {
    const reads = Array.from({ length: 4 }, async () => seen.add(text(await files.read(path))));
    await Promise.all([files.replace(path, bytes(texts[turn % 2] ?? ""), 0o600), ...reads]);
  }
  t.same(
    [...seen].sort().map((found) => `${found.slice(0, 1)} ${String(found.length)}`),
    ["a 300000", "b 300000"],
  );
});

test("a replaced file has the mode that was asked for, whatever the umask, and nothing is left beside it", async (t) => {
  const where = directory(t);
  const former = process.umask(0o077);
  t.teardown(() => process.umask(former));
  for (const mode of [0o600, 0o644, 0o755]) {
    await files.replace(join(where, "file"), bytes("text"), mode);
    t.equal(statSync(join(where, "file")).mode & 0o7777, mode);
  }
  t.same(readdirSync(where), ["file"]);
});

test("a file that can't be replaced stays as it was, and nothing is left beside it", async (t) => {
  const where = directory(t);
  // rename() can't put a file over a directory.
  mkdirSync(join(where, "taken"));
  writeFileSync(join(where, "taken", "inside"), "still here");
  await t.rejects(files.replace(join(where, "taken"), bytes("new"), 0o600), { name: "HostError", code: "EISDIR" });
  t.same(readdirSync(where), ["taken"]);
  t.equal(readFileSync(join(where, "taken", "inside"), "utf8"), "still here");
});

test("a detached program leads a session of its own, holds no pipe of its parent's, and keeps a private log", async (t) => {
  const log = join(directory(t), "program.log");
  let status: number | undefined;
  const script = 'echo "$WORD"; echo wrong >&2; exec sleep 60';
  const pid = await processes.detach("sh", ["-c", script], { log, environment: { WORD: "hello" }, onExit: (code) => (status = code) });
  t.teardown(() => processes.kill(pid, "SIGKILL"));
  await until(
    "it has said its words",
    5_000,
    async () => await Promise.resolve(readFileSync(log, "utf8").includes("wrong") ? true : undefined),
  );
  t.equal(readFileSync(log, "utf8"), "hello\nwrong\n");
  t.equal(statSync(log).mode & 0o777, 0o600);
  const [, parent, group, session] = statOf(pid);
  t.same([parent, group, session], [String(process.pid), String(pid), String(pid)], "a session and a group of its own");
  t.equal(readlinkSync(`/proc/${String(pid)}/cwd`), "/");
  const open = descriptorsOf(pid);
  t.same([open.get(0), open.get(1), open.get(2)], ["/dev/null", log, log]);
  const inherited = inheritedFiles();
  t.same(
    [...open].filter(([fd, target]) => fd > 2 && !inherited.has(target)),
    [],
    "nothing that this process opened",
  );
  t.ok(processes.kill(-pid, "SIGTERM"));
  t.equal(await until("its end is told", 5_000, async () => await Promise.resolve(status)), 128 + 15, "its end is told, with the signal");
  t.equal(processes.kill(pid, "SIGTERM"), false, "there is no such process any more");
  await t.rejects(processes.detach("/no/such/program", [], { log }), { name: "HostError", code: "ENOENT" });
});

test("a program that is run is killed when its time is over, and when it is no longer wanted, with the reason", async (t) => {
  const where = directory(t);
  const started = performance.now();
  const sleeper = (name: string): readonly string[] => ["-c", `echo $$ > ${join(where, name)}; exec sleep 60`];
  await t.rejects(processes.run("sh", sleeper("late"), stay, { limit: 300 }), { name: "HostError", code: "ETIMEDOUT" });
  const enough = new AbortController();
  const running = processes.run("sh", sleeper("unwanted"), enough.signal);
  await until("it runs", 5_000, async () => await Promise.resolve(readdirSync(where).includes("unwanted") ? true : undefined));
  enough.abort(new Error("enough"));
  await t.rejects(running, { message: "enough" });
  t.ok(performance.now() - started < 10_000, "neither was waited for");
  for (const name of ["late", "unwanted"]) t.ok(isGone(Number(readFileSync(join(where, name), "utf8"))), `${name}: nothing of it is left`);
  await t.rejects(processes.run("touch", [join(where, "begun")], enough.signal), { message: "enough" });
  t.notOk(readdirSync(where).includes("begun"), "what is not wanted is not begun");
});

test("a program's input, output and status are its own, and it may leave its input unread", async (t) => {
  const large = "x".repeat(1_000_000);
  const { status, stdout, stderr } = await processes.run("sh", ["-c", "cat; pwd; echo wrong >&2; exit 3"], stay, {
    input: bytes(large),
    directory: "/usr",
  });
  t.same([status, text(stdout).length, text(stdout).slice(-6), text(stderr)], [3, large.length + 5, "x/usr\n", "wrong\n"]);
  t.equal((await processes.run("true", [], stay, { input: bytes(large) })).status, 0);
  t.equal((await processes.run("sh", ["-c", "kill -9 $$"], stay)).status, 137);
  await t.rejects(processes.run("no-such-program", [], stay), { name: "HostError", code: "ENOENT" });
});

test("a sleep ends with the reason it was ended for, and at once", async (t) => {
  const enough = new AbortController();
  const reason = new Error("enough");
  const started = clock.monotonic();
  const sleeping = clock.sleep(60_000, enough.signal);
  enough.abort(reason);
  t.equal(await sleeping.catch((error: unknown) => error), reason);
  t.equal(await clock.sleep(60_000, enough.signal).catch((error: unknown) => error), reason, "nor is one begun");
  t.ok(clock.monotonic() - started < 10_000);
});

test("datagrams go out and come in, and one that can't go is told of without an end to the others", async (t) => {
  const heard: Datagram[] = [];
  const ear = await sockets.bindUdp("127.0.0.1", 0, (datagram) => heard.push(datagram));
  const mouth = await sockets.bindUdp("127.0.0.1", 0, () => undefined);
  t.teardown(() => {
    ear.close();
    mouth.close();
  });
  // Bound to the loopback, it has no way out.
  await t.rejects(mouth.send(bytes("far"), "192.0.2.1", 9), { name: "HostError", code: "EINVAL" });
  await t.rejects(mouth.send(new Uint8Array(70_000), "127.0.0.1", ear.port), { name: "HostError", code: "EMSGSIZE" });
  await mouth.send(bytes("near"), "127.0.0.1", ear.port);
  await until("it is heard", 5_000, async () => await Promise.resolve(heard.length > 0 ? true : undefined));
  t.same(
    heard.map((datagram) => [text(datagram.bytes), datagram.address, datagram.port]),
    [["near", "127.0.0.1", mouth.port]],
  );
  await t.rejects(
    sockets.bindUdp("127.0.0.1", ear.port, () => undefined),
    { name: "HostError", code: "EADDRINUSE" },
  );
  await t.rejects(
    sockets.bindUdp("192.0.2.1", 0, () => undefined),
    { name: "HostError", code: "EADDRNOTAVAIL" },
  );
});

test("a Unix socket replaces a stale one, is private from the start, and closes with all its callers", async (t) => {
  const path = join(directory(t), "socket");
  writeFileSync(path, "stale");
  const listener = await sockets.listenUnix(path, 0o600, (stream) => void stream.write(bytes("hello")));
  t.match(await files.status(path), { kind: "socket", mode: 0o600 });
  const caller = await sockets.connectUnix(path, stay);
  const input = caller.input[Symbol.asyncIterator]();
  const first: unknown = (await input.next()).value;
  t.equal(first instanceof Uint8Array ? text(first) : "", "hello");
  await listener.close();
  t.equal((await input.next()).done, true, "the caller sees the end");
  caller.close();
  await t.rejects(sockets.connectUnix(path, stay), { name: "HostError", code: /ENOENT|ECONNREFUSED/ });
  await t.rejects(sockets.connectUnix(path, AbortSignal.abort(new Error("enough"))), { message: "enough" });
});
