import { mkdtempSync, rmSync, statSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { callControl, isDaemonRunning } from "../../src/control/client.ts";
import { MethodError, type Methods, serveControl } from "../../src/control/server.ts";
import { createHost } from "../../src/host/node.ts";
import { type Test, test } from "../harness/index.ts";

const host = createHost();
const stay = new AbortController().signal;

function socketPath(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), "binder-control-"));
  t.teardown(() => {
    rmSync(directory, { recursive: true });
  });
  return join(directory, "control.sock");
}

async function serve(t: Test, methods: Methods): Promise<string> {
  const path = socketPath(t);
  const listener = await serveControl(host, path, methods);
  t.teardown(async () => {
    await listener.close();
  });
  return path;
}

/** A server that is not Binder's: what it does with a caller is up to `handle`. */
async function serveBadly(t: Test, handle: (socket: Socket) => void): Promise<string> {
  const path = socketPath(t);
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on("error", () => undefined);
    handle(socket);
  });
  await new Promise<void>((listening) => {
    server.listen(path, listening);
  });
  t.teardown(async () => {
    for (const socket of open) socket.destroy();
    await new Promise((closed) => {
      server.close(closed);
    });
  });
  return path;
}

/** A caller that writes bytes as it likes. */
class Caller {
  readonly socket: Socket;
  readonly ended: Promise<void>;
  readonly #lines: string[] = [];
  readonly #waiting: ((line: string) => void)[] = [];
  #rest = "";

  constructor(path: string) {
    this.socket = connect({ path, allowHalfOpen: true });
    this.socket.on("error", () => undefined);
    this.socket.setEncoding("utf8").on("data", (text: string) => {
      const parts = (this.#rest + text).split("\n");
      this.#rest = parts.pop() ?? "";
      for (const line of parts) {
        const waiting = this.#waiting.shift();
        if (waiting === undefined) this.#lines.push(line);
        else waiting(line);
      }
    });
    this.ended = new Promise((resolve) => {
      this.socket.once("end", resolve);
      this.socket.once("close", resolve);
    });
  }

  async send(text: string | Uint8Array): Promise<void> {
    await new Promise<void>((written) => {
      this.socket.write(text, () => {
        written();
      });
    });
  }

  /** The next answer; a rejection if the connection ended before it. */
  async answer(): Promise<unknown> {
    const line = this.#lines.shift();
    if (line !== undefined) return JSON.parse(line);
    return JSON.parse(
      await Promise.race([
        new Promise<string>((resolve) => this.#waiting.push(resolve)),
        this.ended.then((): never => {
          throw new Error("the connection ended without an answer");
        }),
      ]),
    );
  }
}

function call(t: Test, path: string): Caller {
  const caller = new Caller(path);
  t.teardown(() => {
    caller.socket.destroy();
  });
  return caller;
}

const echo: Methods = { status: async (args) => await Promise.resolve(args) };
const request = (id: number, method: string, args: unknown = {}): string => `${JSON.stringify({ id, method, args })}\n`;

test("a caller's question is carried to the method, and its answer back", async (t) => {
  const path = await serve(t, { status: async (args) => await Promise.resolve({ ...args, state: "up" }) });
  t.same(await callControl(host, path, "status", { name: "häuser 🏠" }, stay), { name: "häuser 🏠", state: "up" });
  t.equal(statSync(path).mode & 0o777, 0o600, "root alone may ask");
});

test("a question that arrives byte by byte, a character cut in two included, is one question", async (t) => {
  const path = await serve(t, echo);
  const caller = call(t, path);
  caller.socket.setNoDelay(true);
  for (const byte of new TextEncoder().encode(request(7, "status", { name: "ü🏠" }))) await caller.send(Uint8Array.of(byte));
  t.same(await caller.answer(), { id: 7, status: 0, data: { name: "ü🏠" } });
});

test("several questions in one piece are answered one after another, the slow one first if it was asked first", async (t) => {
  const doing: string[] = [];
  let finish = (): void => undefined;
  const path = await serve(t, {
    slow: async () => {
      doing.push("slow begins");
      await new Promise<void>((resolve) => (finish = resolve));
      doing.push("slow ends");
      return null;
    },
    quick: async () => await Promise.resolve(doing.push("quick")),
    finish: async () => {
      finish();
      return await Promise.resolve(null);
    },
  });
  const caller = call(t, path);
  await caller.send(request(1, "slow") + request(2, "quick") + request(3, "quick"));
  // Another caller does not wait for the first one's slow question.
  t.equal(await callControl(host, path, "finish", {}, stay), null);
  t.same(
    [await caller.answer(), await caller.answer(), await caller.answer()],
    [
      { id: 1, status: 0, data: null },
      { id: 2, status: 0, data: 3 },
      { id: 3, status: 0, data: 4 },
    ],
  );
  t.same(doing, ["slow begins", "slow ends", "quick", "quick"]);
});

test("what is no question is told so, and the next question on the same connection is answered", async (t) => {
  const caller = call(t, await serve(t, echo));
  for (const bad of ["{", "", "null", "[]", '"status"', "{}", '{"id":5}', '{"id":5,"method":7}', "\0", "[".repeat(100_000)]) {
    await caller.send(`${bad}\n`);
    t.match(await caller.answer(), { status: 2, error: /a request is/ }, bad.slice(0, 20));
  }
  await caller.send('{"id":"x","method":"status","args":[1]}\n');
  t.same(await caller.answer(), { id: 0, status: 0, data: {} }, "an id that is no number is 0, args that are none are empty");
});

test("a method that there is not is named in the error, even if every object of JavaScript has it", async (t) => {
  const path = await serve(t, echo);
  for (const method of ["reboot", "toString", "constructor", "__proto__", ""]) {
    await t.rejects(callControl(host, path, method, {}, stay), { name: "ControlError", message: `there is no method "${method}"` });
  }
});

test("a method's error reaches the caller with its words and its exit status", async (t) => {
  const path = await serve(t, {
    reload: async () => await Promise.reject(new MethodError(3, "binder:4: option via: no address")),
    stop: async () => await Promise.reject(new Error("ip is missing")),
    events: async () => await Promise.resolve(10n),
  });
  const errorOf = async (method: string): Promise<unknown> =>
    await callControl(host, path, method, {}, stay).then(
      () => "none",
      (error: unknown) => error,
    );
  t.match(await errorOf("reload"), { name: "ControlError", status: 3, message: "binder:4: option via: no address" });
  t.match(await errorOf("stop"), { name: "ControlError", status: 1, message: "ip is missing" });
  t.match(await errorOf("events"), { name: "ControlError", status: 1, message: /BigInt/ }, "an answer that JSON can't carry");
});

test("a line that is too long is refused with a word, and ends that connection alone", async (t) => {
  const path = await serve(t, echo);
  const other = call(t, path);
  const caller = call(t, path);
  void caller.send("x".repeat(1024 * 1024 + 1));
  t.match(await caller.answer(), { id: 0, status: 2, error: /too long/ });
  await caller.ended;
  await other.send(request(1, "status"));
  t.same(await other.answer(), { id: 1, status: 0, data: {} });
});

test("a caller that has said all it has to say still gets its answer", async (t) => {
  let finish = (): void => undefined;
  const path = await serve(t, {
    status: async () =>
      await new Promise(
        (resolve) =>
          (finish = () => {
            resolve("late");
          }),
      ),
    finish: async () => {
      finish();
      return await Promise.resolve(null);
    },
  });
  const caller = call(t, path);
  caller.socket.end(request(1, "status"));
  await new Promise((resolve) => caller.socket.once("finish", resolve));
  // Two turns through the server: it has seen the end of the first connection by then.
  await callControl(host, path, "unknown", {}, stay).catch(() => undefined);
  await callControl(host, path, "finish", {}, stay);
  t.same(await caller.answer(), { id: 1, status: 0, data: "late" });
  await caller.ended;
});

test("a caller that goes away in the middle harms nobody, and what it asked for is done all the same", async (t) => {
  let begun = (): void => undefined;
  const beginning = new Promise<void>((resolve) => (begun = resolve));
  let finish = (): void => undefined;
  let done = false;
  const path = await serve(t, {
    reload: async () => {
      begun();
      await new Promise<void>((resolve) => (finish = resolve));
      done = true;
      return "x".repeat(10_000_000);
    },
    status: async () => await Promise.resolve(done),
  });
  const caller = call(t, path);
  await caller.send(`${request(1, "reload")}{"id":2,"meth`);
  await beginning;
  caller.socket.destroy();
  const half = call(t, path);
  await half.send('{"id":1,"method":"sta');
  half.socket.destroy();
  finish();
  t.equal(await callControl(host, path, "status", {}, stay), true);
});

test("where no daemon listens, the caller is told that it does not run", async (t) => {
  const path = socketPath(t);
  await t.rejects(callControl(host, path, "status", {}, stay), { name: "NotRunningError", message: /binder run/ });
  t.equal(await isDaemonRunning(host, path, stay), false);
  const silent = await serveBadly(t, () => undefined);
  t.equal(await isDaemonRunning(host, silent, AbortSignal.timeout(100)), true, "one that never answers is one");
});

test("a daemon that answers nonsense, or nothing, is told of in words", async (t) => {
  for (const nonsense of ["\n", "{\n", "null\n", "[]\n", "{}\n"]) {
    const path = await serveBadly(t, (socket) => socket.end(nonsense));
    await t.rejects(
      callControl(host, path, "status", {}, stay),
      { name: "ControlError", message: "the daemon's answer is none" },
      nonsense,
    );
  }
  const cases: Record<string, (socket: Socket) => void> = {
    "it ends": (socket) => socket.resume().end(),
    "it ends in the middle of its answer": (socket) => socket.resume().end('{"id":1,"status":0'),
    "it is killed": (socket) => socket.destroy(),
    "it is killed once it was asked": (socket) => socket.once("data", () => socket.destroy()),
  };
  for (const [name, handle] of Object.entries(cases)) {
    const path = await serveBadly(t, handle);
    await t.rejects(
      callControl(host, path, "status", {}, stay),
      { name: "ControlError", message: "the daemon ended before it answered" },
      name,
    );
  }
});

test("a caller that is told to stop waiting stops, with the reason it was given", async (t) => {
  const path = await serve(t, { status: async () => await new Promise(() => undefined) });
  const enough = new AbortController();
  const called = callControl(host, path, "status", {}, enough.signal);
  const other = call(t, path);
  await other.send(request(1, "nothing"));
  await other.answer();
  enough.abort(new Error("enough"));
  await t.rejects(called, /enough/);
  await t.rejects(callControl(host, path, "status", {}, enough.signal), /enough/, "and does not begin");
});
