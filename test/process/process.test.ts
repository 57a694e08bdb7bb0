import fc from "fast-check";
import type { Host } from "../../src/host/types.ts";
import { backOff } from "../../src/process/back-off.ts";
import { identify, isRunning } from "../../src/process/identity.ts";
import { Supervisor } from "../../src/process/supervisor.ts";
import { Turn } from "../../src/process/turn.ts";
import { Wake } from "../../src/process/wake.ts";
import { test } from "../harness/index.ts";

test("back-off grows from a quarter of a second to half a minute, with jitter of half", (t) => {
  t.equal(backOff(0, 1), 0);
  t.same(
    [1, 2, 3, 4].map((failures) => backOff(failures, 1)),
    [250, 500, 1000, 2000],
  );
  t.same(
    [1, 2, 3, 4].map((failures) => backOff(failures, 0)),
    [125, 250, 500, 1000],
  );
  fc.assert(
    fc.property(fc.nat(1000), fc.double({ min: 0, max: 1, noNaN: true }), (failures, random) => {
      const wait = backOff(failures, random);
      return wait >= 0 && wait <= 30_000 && backOff(failures + 1, random) >= wait;
    }),
  );
});

const unused = (): never => {
  throw new Error("not expected");
};

/** A machine with files in memory, and programs that are entries of /proc. */
function machine() {
  const files = new Map<string, Uint8Array>();
  const started: { pid: number; at: number; args: readonly string[] }[] = [];
  const ends: (() => void)[] = [];
  let now = 1_000_000;
  let pid = 100;
  const text = (value: string): Uint8Array => new TextEncoder().encode(value);
  const end = (which: number): void => {
    files.delete(`/proc/${String(which)}/stat`);
  };
  const host: Host = {
    files: {
      read: (path) => {
        const bytes = files.get(path);
        return bytes === undefined ? Promise.reject(new Error(`no ${path}`)) : Promise.resolve(bytes);
      },
      replace: (path, bytes) => Promise.resolve(void files.set(path, bytes)),
      poke: unused,
      list: unused,
      status: (path) => Promise.resolve(files.has(path) ? { kind: "file", mode: 0, size: 1, uid: 0, gid: 0 } : undefined),
      makeDirectory: () => Promise.resolve(),
      remove: (path) => Promise.resolve(void files.delete(path)),
      setOwner: unused,
    },
    clock: {
      monotonic: () => now,
      wall: () => now,
      sleep: (ms) => {
        now += ms;
        return Promise.resolve();
      },
    },
    processes: {
      pid: 1,
      run: unused,
      detach: (_program, args, options) => {
        pid += 1;
        started.push({ pid, at: now, args });
        files.set(`/proc/${String(pid)}/stat`, text(`${String(pid)} (a (b) c) S ${"0 ".repeat(18)}${String(pid * 7)} 0\n`));
        files.set(options.log, text("one\nCannot load private key\nExiting due to fatal error\n"));
        ends.push(() => options.onExit?.(1));
        return Promise.resolve(pid);
      },
      converse: unused,
      kill: (which) => {
        end(which);
        return true;
      },
      find: unused,
    },
    sockets: { connectUnix: unused, listenUnix: unused, bindUdp: unused },
    program: {
      args: [],
      stdinIsTerminal: false,
      stdoutIsTerminal: false,
      readStdin: unused,
      stdout: unused,
      stderr: unused,
      onSignal: unused,
      exit: unused,
    },
    random: (count) => new Uint8Array(count).fill(255),
  };
  return {
    host,
    files,
    started,
    advance: (ms: number): void => {
      now += ms;
    },
    dies: (): void => {
      end(pid);
      ends.at(-1)?.();
    },
  };
}

const specification = { program: "x", args: ["-a"], revision: "1" };

async function until(check: () => boolean): Promise<void> {
  for (let tries = 0; !check(); tries += 1) {
    if (tries > 500) throw new Error("it does not come");
    await new Promise<void>((resolve) => setTimeout(resolve, 10));
  }
}

test("a program that dies is started again, and its last words are kept", { timeout: 20_000 }, async (t) => {
  const m = machine();
  const end = new AbortController();
  let starts = 0;
  const supervisor = new Supervisor(m.host, "x", { onStart: () => (starts += 1) });
  supervisor.want(specification);
  const running = supervisor.supervise(end.signal);
  await until(() => supervisor.state.kind === "running");
  m.dies();
  await until(() => supervisor.state.kind === "waiting" && supervisor.lastWords.length > 0);
  t.same(supervisor.lastWords, ["one", "Cannot load private key", "Exiting due to fatal error"]);
  m.advance(60_000);
  await until(() => m.started.length === 2 && supervisor.state.kind === "running");
  t.equal(starts, 2);
  t.same(supervisor.lastWords, []);
  end.abort();
  await running;
});

test("what a start needs is prepared before each, and finished once the program runs", { timeout: 20_000 }, async (t) => {
  const m = machine();
  const end = new AbortController();
  const told: string[] = [];
  let works = false;
  const supervisor = new Supervisor(m.host, "x", {
    onStart: () => told.push("start"),
    prepare: () => {
      told.push("prepare");
      const finish = (): Promise<void> => Promise.resolve(void told.push("finish"));
      return works ? Promise.resolve({ args: ["-b"], finish }) : Promise.reject(new Error("not yet"));
    },
  });
  supervisor.want(specification);
  const running = supervisor.supervise(end.signal);
  await until(() => supervisor.state.kind === "waiting");
  t.equal(m.started.length, 0, "not started unprepared");
  works = true;
  m.advance(60_000);
  await until(() => told.includes("finish"));
  t.same(told, ["prepare", "prepare", "start", "finish"]);
  t.same(m.started.at(-1)?.args, ["-a", "-b"]);
  end.abort();
  await running;
});

test(
  "the next daemon adopts what runs, by pid, start time and specification; anything else is ended first",
  { timeout: 20_000 },
  async (t) => {
    const m = machine();
    const supervise = async (revision: string): Promise<readonly number[]> => {
      const end = new AbortController();
      const supervisor = new Supervisor(m.host, "x");
      supervisor.want({ ...specification, revision });
      const running = supervisor.supervise(end.signal);
      await until(() => supervisor.state.kind === "running");
      end.abort();
      await running;
      return m.started.map(({ pid }) => pid);
    };
    t.equal((await supervise("1")).length, 1);
    t.equal((await supervise("1")).length, 1, "adopted");
    t.equal((await supervise("2")).length, 2, "another specification: started anew");
    const last = m.started.at(-1)?.pid ?? 0;
    m.files.set(`/proc/${String(last)}/stat`, new TextEncoder().encode(`${String(last)} (other) S ${"0 ".repeat(18)}1 0\n`));
    t.equal((await supervise("2")).length, 3, "the pid is somebody else's now");
  },
);

test("a process is told from a later one with its pid, and from what is left of it", async (t) => {
  const m = machine();
  await m.host.processes.detach("x", [], { log: "/l" });
  const identity = await identify(m.host, 101);
  t.same(identity, { pid: 101, startTime: 707 }, "parentheses in its name");
  t.equal(await isRunning(m.host, { pid: 101, startTime: 707 }), true);
  t.equal(await isRunning(m.host, { pid: 101, startTime: 708 }), false);
  m.files.set("/proc/101/stat", new TextEncoder().encode(`101 (x) Z ${"0 ".repeat(18)}707 0\n`));
  t.equal(await isRunning(m.host, { pid: 101, startTime: 707 }), false, "a zombie");
});

test("a wake that comes before the wait is not lost", async (t) => {
  const wake = new Wake();
  wake.set();
  await wake.wait(60_000, new AbortController().signal);
  const end = new AbortController();
  end.abort();
  await wake.wait(60_000, end.signal);
  t.pass();
});

test("works in turn follow each other, after one that fails too", async (t) => {
  const turn = new Turn();
  const seen: string[] = [];
  const work = (name: string, fails: boolean) => async (): Promise<string> => {
    seen.push(`${name} begins`);
    await new Promise((resolve) => setTimeout(resolve, 5));
    seen.push(`${name} ends`);
    if (fails) throw new Error(name);
    return name;
  };
  const first = turn.take(work("first", true));
  const second = turn.take(work("second", false));
  await t.rejects(first, { message: "first" });
  t.equal(await second, "second");
  t.strictSame(seen, ["first begins", "first ends", "second begins", "second ends"]);
});
