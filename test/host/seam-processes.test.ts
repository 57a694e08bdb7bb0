import { type Test, test } from "../harness/index.ts";
import { all, areSame, bytes, directory, host, leavesNothing, pattern, shell, statOf, stay, text, until } from "./seam.ts";

const { files, clock, processes } = host;

test("a program's input, output and status are its own, and it may leave its input unread", async (t) => {
  const large = "x".repeat(1_000_000);
  const script = "cat; pwd; echo wrong >&2; exit 3";
  const { status, stdout, stderr } = await processes.run("sh", ["-c", script], stay, { input: bytes(large), directory: "/usr" });
  t.same([status, text(stdout).length, text(stdout).slice(-6), text(stderr)], [3, large.length + 5, "x/usr\n", "wrong\n"]);
  t.equal((await processes.run("true", [], stay, { input: bytes(large) })).status, 0);
  t.equal((await processes.run("sh", ["-c", "kill -9 $$"], stay)).status, 137);
  const quiet = await processes.run("sh", ["-c", "pwd; cat"], stay);
  t.equal(text(quiet.stdout), "/\n", "no input is an end of file, and the directory is /");
});

test("a program that can't be begun says why", async (t) => {
  const where = await directory(t);
  await files.replace(`${where}/plain`, bytes("text"), 0o644);
  const wrong: readonly (readonly [string, string])[] = [
    ["no-such-program", "ENOENT"],
    ["/no/such/program", "ENOENT"],
    [`${where}/plain`, "EACCES"],
  ];
  for (const [program, code] of wrong) {
    await t.rejects(processes.run(program, [], stay), { name: "HostError", code });
    await t.rejects(processes.converse(program, []), { name: "HostError", code });
    await t.rejects(processes.detach(program, [], { log: `${where}/log` }), { name: "HostError", code });
  }
  await t.rejects(processes.detach("true", [], { log: `${where}/no/where` }), { name: "HostError", code: "ENOENT" });
});

test("large pipes, both ways and all three at once", async (t) => {
  const input = pattern(8_000_000);
  const script = "head -c 8000000 /dev/zero >&2 & cat; wait";
  const { status, stdout, stderr } = await processes.run("sh", ["-c", script], stay, { input, limit: 60_000 });
  t.equal(status, 0);
  t.ok(areSame(stdout, input), `standard output, ${String(stdout.length)} bytes`);
  t.ok(areSame(stderr, new Uint8Array(8_000_000)), `standard error, ${String(stderr.length)} bytes`);
});

test("two hundred children at once", async (t) => {
  const numbers = Array.from({ length: 200 }, (_, number) => number);
  const results = await Promise.all(
    numbers.map(async (number) => {
      const script = `read line; echo "$line"; echo err${String(number)} >&2; exit ${String(number % 100)}`;
      const { status, stdout, stderr } = await processes.run("sh", ["-c", script], stay, {
        input: bytes(`in${String(number)}\n`),
        limit: 60_000,
      });
      return [status, text(stdout), text(stderr)];
    }),
  );
  t.strictSame(
    results,
    numbers.map((number) => [number % 100, `in${String(number)}\n`, `err${String(number)}\n`]),
  );
});

/** Writes its pid to a file, and sleeps: alone, or as the child of a shell that has the same pipes. */
const sleeper = (path: string): readonly string[] => ["-c", `echo $$ > ${path}.new; mv ${path}.new ${path}; exec sleep 60`];

async function pidIn(path: string): Promise<number> {
  return Number(await until(`${path} is there`, async () => text(await files.read(path).catch(() => bytes(""))) || undefined));
}

test("a program is killed when its time is over, and when it is no longer wanted, with the reason", async (t) => {
  const where = await directory(t);
  const started = clock.monotonic();
  await t.rejects(processes.run("sh", sleeper(`${where}/late`), stay, { limit: 300 }), { name: "HostError", code: "ETIMEDOUT" });
  const enough = new AbortController();
  const reason = new Error("enough");
  const running = processes.run("sh", sleeper(`${where}/unwanted`), enough.signal).catch((error: unknown) => error);
  const pid = await pidIn(`${where}/unwanted`);
  enough.abort(reason);
  t.equal(await running, reason);
  t.ok(clock.monotonic() - started < 10_000, "neither was waited for");
  t.equal(await statOf(pid), undefined, "nothing is left of it");
  t.equal(await statOf(await pidIn(`${where}/late`)), undefined, "nor of the other");
  t.equal(await processes.run("touch", [`${where}/begun`], enough.signal).catch((error: unknown) => error), reason);
  t.equal(await files.status(`${where}/begun`), undefined, "what is not wanted is not begun");
});

test("a program's own children that keep its pipes open are not waited for beyond the limit", async (t) => {
  const where = await directory(t);
  const started = clock.monotonic();
  const script = `sleep 60 & echo $! > ${where}/pid; exit 0`;
  await t.rejects(processes.run("sh", ["-c", script], stay, { limit: 500 }), { name: "HostError", code: "ETIMEDOUT" });
  t.ok(clock.monotonic() - started < 10_000);
  t.ok(processes.kill(await pidIn(`${where}/pid`), "SIGKILL"));
});

async function logOf(path: string, wanted: RegExp): Promise<string> {
  return await until(`${path} has ${String(wanted)}`, async () => {
    const found = text(await files.read(path));
    return wanted.test(found) ? found : undefined;
  });
}

async function detached(t: Test, log: string, script: string, onExit: (status: number) => void): Promise<number> {
  const environment = { WORD: "hello", HOME: "/here" };
  const pid = await processes.detach("sh", ["-c", script], { log, environment, onExit });
  t.teardown(() => processes.kill(pid, "SIGKILL"));
  return pid;
}

test("a detached program leads a session of its own, holds no pipe of its parent's, and keeps a private log", async (t) => {
  const log = `${await directory(t)}/program.log`;
  const ends: number[] = [];
  const script = 'echo "$WORD $HOME $(pwd)"; ls /proc/$$/fd; readlink /proc/$$/fd/0; echo done >&2; exec sleep 60';
  // Three, and what whoever started this process gave it to be given on.
  const descriptors = await shell("ls /proc/$$/fd");
  const pid = await detached(t, log, script, (status) => ends.push(status));
  t.equal(await logOf(log, /done/), `hello /here /\n${descriptors}/dev/null\ndone\n`);
  t.equal((await files.status(log))?.mode, 0o600);
  const [, parent, group, session] = (await statOf(pid)) ?? [];
  t.same([parent, group, session], [String(processes.pid), String(pid), String(pid)], "a session and a group of its own");
  t.ok(processes.kill(-pid, "SIGTERM"));
  t.equal(await until("its end is told", () => ends[0]), 128 + 15, "its end is told, with the signal");
  t.equal(processes.kill(pid, "SIGTERM"), false, "there is no such process any more");
  await detached(t, log, "echo again; exit 7", (status) => ends.push(status));
  t.equal(await until("its end is told", () => ends[1]), 7);
  t.match(text(await files.read(log)), /done\nagain\n$/, "the log is gone on with");
});

test("a child begins with no signal ignored or blocked", async (t) => {
  const { stdout } = await processes.run("grep", ["-E", "^Sig(Blk|Ign)", "/proc/self/status"], stay);
  const masks = [...text(stdout).matchAll(/^Sig[A-Za-z]+:\s+([0-9a-f]+)$/gm)].map(([, mask = ""]) => Number.parseInt(mask.slice(-8), 16));
  // Signals 1 to 31: glibc sees to two of those above, which are its own.
  t.same(
    masks.map((mask) => mask & 0x7fffffff),
    [0, 0],
  );
});

test("a conversation goes both ways, and ends with the child", async (t) => {
  const talk = await processes.converse("sh", ["-c", 'while read line; do echo "heard $line"; [ "$line" = end ] && exit; done; true']);
  const output = talk.output[Symbol.asyncIterator]();
  for (const word of ["one", "two"]) {
    await talk.write(bytes(`${word}\n`));
    t.equal(text((await output.next()).value as Uint8Array), `heard ${word}\n`);
  }
  await talk.write(bytes("end\n"));
  t.equal(text((await output.next()).value as Uint8Array), "heard end\n");
  t.equal((await output.next()).done, true);
  await talk.close();
  await t.rejects(talk.write(bytes("x")), { name: "HostError", code: "EPIPE" });
});

test("a conversation's child that waits for all of its input is told its end", async (t) => {
  const talk = await processes.converse("sort", []);
  await talk.write(bytes("two\n"));
  await talk.write(bytes("one\n"));
  talk.end();
  t.equal(text(await all(talk.output)), "one\ntwo\n");
  await talk.close();
});

test("a conversation that is closed ends its child, and whoever listens", async (t) => {
  const talk = await processes.converse("sleep", ["60"]);
  const listening = all(talk.output);
  await clock.sleep(50, stay);
  await talk.close();
  t.equal((await listening).length, 0, "an end, and no error");
  t.equal(await statOf(talk.pid), undefined);
  await talk.close();
  const loud = await processes.converse("yes", []);
  let size = 0;
  for await (const chunk of loud.output) {
    size += chunk.length;
    if (size > 1_000_000) break;
  }
  await loud.close();
  t.ok(size > 1_000_000, "a child that never stops");
  t.equal(await statOf(loud.pid), undefined);
});

test("signals reach a process, its group, or nobody", async (t) => {
  const where = await directory(t);
  let ended: number | undefined;
  const pid = await detached(
    t,
    `${where}/log`,
    'trap "echo hup" HUP; trap "echo usr1" USR1; trap "exit 5" USR2; echo up; while :; do sleep 0.05; done',
    (status) => {
      ended = status;
    },
  );
  await logOf(`${where}/log`, /up/);
  t.ok(processes.kill(pid, "SIGHUP"));
  await logOf(`${where}/log`, /hup/);
  t.ok(processes.kill(pid, "SIGUSR1"));
  await logOf(`${where}/log`, /usr1/);
  t.ok(processes.kill(pid, "SIGUSR2"));
  t.equal(await until("its end is told", () => ended), 5);
  t.equal(processes.kill(pid, "SIGKILL"), false);
  t.equal(processes.kill(-pid, "SIGKILL"), false);
});

test("a program is found by PATH, in the directories of root's programs, or not at all", async (t) => {
  t.match(await processes.find("sh"), /^\/.*\/sh$/);
  t.equal(await processes.find("/bin/sh"), "/bin/sh");
  t.match(await processes.find("sysctl"), /sbin\/sysctl$/);
  t.equal(await processes.find("no-such-program"), undefined);
  t.equal(await processes.find("/bin/no-such-program"), undefined);
  t.match(await shell("echo $PATH"), /\/usr\/sbin/, "children find them too");
});

test("children leave no descriptor and no zombie", async (t) => {
  const log = `${await directory(t)}/log`;
  await leavesNothing(t, async () => {
    await Promise.all(Array.from({ length: 5 }, async () => await processes.run("echo", ["x"], stay)));
    await processes.run("no-such-program", [], stay).catch(() => undefined);
    await processes.run("sleep", ["60"], stay, { limit: 20 }).catch(() => undefined);
    await processes.converse("no-such-program", []).catch(() => undefined);
    const talk = await processes.converse("cat", []);
    await talk.write(bytes("x"));
    await talk.close();
    let ended = false;
    await processes.detach("true", [], { log, onExit: () => (ended = true) });
    await until("it has ended", () => ended || undefined);
    await processes.detach("no-such-program", [], { log }).catch(() => undefined);
  });
});
