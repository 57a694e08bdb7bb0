import { type UbusClient, UbusError, type UbusTable } from "../../src/ubus-client/index.ts";
import { type Test, test } from "../harness/index.ts";
import { clientOf, Daemon, isReal, type Told, until } from "./daemon.ts";

// Over a real socket, with our ubusd, or with the real one: `UBUSD=/sbin/ubusd node scripts/test.mjs test/ubus-client/client.test.ts`.

type Client = UbusClient & Told;
const failing = (status: string): { readonly name: string; readonly status: string } => ({ name: "UbusError", status });
const stay = new AbortController().signal;

async function started(t: Test): Promise<Daemon> {
  const daemon = new Daemon(t);
  await daemon.start();
  return daemon;
}

/** A gate that a method waits at. */
function gate(): { readonly open: () => void; readonly opened: Promise<void> } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open: () => open(), opened };
}

const ECHO = {
  echo: { arguments: { text: "string", count: "int32", yes: "bool", any: "any" }, call: (args: UbusTable) => args },
} as const;

test(`a call, an answer, an error (${isReal ? "the real ubusd" : "our ubusd"})`, async (t) => {
  const daemon = await started(t);
  const [server, client] = [clientOf(t, daemon), clientOf(t, daemon)];
  const object = server.publish("test.object", {
    ...ECHO,
    nothing: { arguments: {}, call: () => undefined },
    two: {
      arguments: {},
      call: (_args, { reply }) => {
        reply({ part: 1 });
        return { part: 2 };
      },
    },
    fail: {
      arguments: {},
      call: () => {
        throw new UbusError("NOT_SUPPORTED", "no", { data: { error: "not here" } });
      },
    },
    break: {
      arguments: {},
      call: async () => {
        throw new Error("a mistake");
      },
    },
    who: { arguments: {}, call: (_args, { user, group, method }) => ({ user, group, method }) },
  });
  await object.ready(stay);
  t.strictSame(await client.call("test.object", "echo", { text: "ü", count: -1, yes: true, any: [1.5, { a: null }] }), {
    text: "ü",
    count: -1,
    yes: true,
    any: [1.5, { a: null }],
  });
  t.strictSame(
    await client.call("test.object", "echo", { text: "a", ubus_rpc_session: "0" }),
    { text: "a" },
    "unknown arguments are left out",
  );
  t.strictSame(await client.call("test.object", "nothing"), {});
  const parts: UbusTable[] = [];
  t.strictSame(await client.call("test.object", "two", {}, { onData: (data) => parts.push(data) }), { part: 2 });
  t.strictSame(parts, [{ part: 1 }, { part: 2 }]);
  const failed = {
    name: "UbusError",
    status: "NOT_SUPPORTED",
    code: 8,
    message: "test.object fail: not supported",
    data: { error: "not here" },
  };
  await t.rejects(client.call("test.object", "fail"), failed);
  await t.rejects(client.call("test.object", "break"), failing("UNKNOWN_ERROR"));
  t.match(server.errors, [{ message: "test.object break: a mistake" }]);
  await t.rejects(client.call("test.object", "none"), failing("METHOD_NOT_FOUND"));
  await t.rejects(client.call("test.object", "echo", { count: "7" }), failing("INVALID_ARGUMENT"));
  await t.rejects(client.call("test.nothing", "echo"), { status: "NOT_FOUND", message: /^there is no object test\.nothing/ });
  t.strictSame(await client.call("test.object", "who"), { user: "root", group: "root", method: "who" });
});

test("lookups: one, some, all, none", async (t) => {
  const daemon = await started(t);
  const [server, client] = [clientOf(t, daemon), clientOf(t, daemon)];
  await Promise.all(["b.two", "a", "b.one"].map(async (path) => server.publish(path, ECHO).ready(stay)));
  const paths = async (pattern?: string): Promise<readonly string[]> => (await client.lookup(pattern)).map(({ path }) => path);
  t.same(await paths("a"), ["a"]);
  t.same(await paths("b.*"), ["b.one", "b.two"]);
  t.same(await paths(), ["a", "b.one", "b.two"]);
  t.same(await paths("c"), []);
  t.same(await paths("c*"), []);
  t.strictSame((await client.lookup("a"))[0]?.methods, { echo: { text: "string", count: "int32", yes: "bool", any: "any" } });
});

test("what comes in pieces of one, seven and 64 kB is the same; 300 kB and back", async (t) => {
  const daemon = await started(t);
  const text = "0123456789".repeat(30_000);
  await clientOf(t, daemon, 1).publish("slow", ECHO).ready(stay);
  const quick = clientOf(t, daemon);
  await quick.publish("quick", ECHO).ready(stay);
  for (const size of [1, 7, 65_536]) {
    const client = clientOf(t, daemon, size);
    t.strictSame(await client.call("slow", "echo", { text: "a" }), { text: "a" });
    const { text: found } = await client.call("quick", "echo", { text });
    t.ok(found === text, `in pieces of ${size}`);
  }
});

test("the largest message goes, a larger one is refused before it is sent", async (t) => {
  const daemon = await started(t);
  const [server, client] = [clientOf(t, daemon), clientOf(t, daemon)];
  await server
    .publish("o", {
      size: { arguments: { text: "string" }, call: ({ text }) => ({ length: typeof text === "string" ? text.length : -1 }) },
    })
    .ready(stay);
  const most = 1024 * 1024 - 100;
  t.strictSame(await client.call("o", "size", { text: "x".repeat(most) }), { length: most });
  await t.rejects(client.call("o", "size", { text: "x".repeat(1024 * 1024) }), {
    status: "INVALID_ARGUMENT",
    message: "a message on ubus is at most 1048576 bytes",
  });
  t.ok(client.isConnected);
});

test("a thousand calls at once, answered in another order", async (t) => {
  const daemon = await started(t);
  const [server, client] = [clientOf(t, daemon), clientOf(t, daemon)];
  const delayed = async (args: UbusTable): Promise<UbusTable> => {
    await new Promise((resolve) => setTimeout(resolve, (Number(args["n"]) * 7) % 11));
    return args;
  };
  await server.publish("o", { delayed: { arguments: { n: "int32" }, call: delayed } }).ready(stay);
  let wrong = 0;
  for (let turn = 0; turn < 5; turn++) {
    const numbers = Array.from({ length: 200 }, (_, index) => turn * 200 + index);
    const answers = await Promise.all(numbers.map(async (n) => client.call("o", "delayed", { n })));
    wrong += answers.filter(({ n }, index) => n !== numbers[index]).length;
  }
  t.equal(wrong, 0);
});

test("an object takes 256 calls at once, and refuses more", async (t) => {
  const daemon = await started(t);
  const [server, client] = [clientOf(t, daemon), clientOf(t, daemon)];
  const { open, opened } = gate();
  const wait = async (): Promise<undefined> => {
    await opened;
    return undefined;
  };
  await server.publish("o", { wait: { arguments: {}, call: wait } }).ready(stay);
  const statuses: string[] = [];
  const calls = Array.from({ length: 300 }, async () => {
    const status = await client.call("o", "wait").then(
      () => "OK",
      (error: unknown) => (error instanceof UbusError ? error.status : String(error)),
    );
    statuses.push(status);
  });
  await until(() => statuses.length === 44);
  t.same(new Set(statuses), new Set(["NO_MEMORY"]));
  open();
  await Promise.all(calls);
  t.equal(statuses.filter((status) => status === "OK").length, 256);
});

test("a call ends at its limit, or when its signal fires, and a late answer disturbs nobody", async (t) => {
  const daemon = await started(t);
  const [server, client] = [clientOf(t, daemon), clientOf(t, daemon)];
  const { open, opened } = gate();
  await server
    .publish("o", {
      ...ECHO,
      wait: {
        arguments: {},
        call: async () => {
          await opened;
          return { late: true };
        },
      },
    })
    .ready(stay);
  await t.rejects(client.call("o", "wait", {}, { timeout: 40 }), { status: "TIMEOUT", message: "o wait: no answer within 40 ms" });
  const end = new AbortController();
  const call = client.call("o", "wait", {}, { signal: end.signal });
  const reason = new Error("enough");
  setTimeout(() => end.abort(reason), 20);
  await t.rejects(call, { message: "enough" });
  await t.rejects(client.call("o", "wait", {}, { signal: end.signal }), { message: "enough" });
  open();
  t.strictSame(await client.call("o", "echo", { text: "a" }), { text: "a" });
});

test("a server that dies in a call: only the limit ends it, for ubusd says nothing", async (t) => {
  const daemon = await started(t);
  const [server, client] = [clientOf(t, daemon), clientOf(t, daemon)];
  const called = gate();
  const wait = async (): Promise<undefined> => {
    called.open();
    await new Promise(() => undefined);
    return undefined;
  };
  await server.publish("o", { wait: { arguments: {}, call: wait } }).ready(stay);
  const call = client.call("o", "wait", {}, { timeout: 300 });
  await called.opened;
  server.close();
  await t.rejects(call, failing("TIMEOUT"));
  await t.rejects(client.call("o", "wait"), failing("NOT_FOUND"));
});

test("an object that was added again is found again", async (t) => {
  const daemon = await started(t);
  const [first, second, client] = [clientOf(t, daemon), clientOf(t, daemon), clientOf(t, daemon)];
  await first.publish("o", ECHO).ready(stay);
  t.strictSame(await client.call("o", "echo", { count: 1 }), { count: 1 });
  const [before] = await client.lookup("o");
  first.close();
  await second.publish("o", ECHO).ready(stay);
  t.strictSame(await client.call("o", "echo", { count: 2 }), { count: 2 });
  t.not((await client.lookup("o"))[0]?.id, before?.id);
});

test("a method that says NOT_FOUND is not called twice", async (t) => {
  const daemon = await started(t);
  const [server, client] = [clientOf(t, daemon), clientOf(t, daemon)];
  let calls = 0;
  const call = (): never => {
    calls++;
    throw new UbusError("NOT_FOUND", "no such thing");
  };
  await server.publish("o", { find: { arguments: {}, call } }).ready(stay);
  for (let turn = 0; turn < 2; turn++) await t.rejects(client.call("o", "find"), failing("NOT_FOUND"));
  t.equal(calls, 2);
});

test("a path that is taken is reported, and had once it is free", async (t) => {
  const daemon = await started(t);
  const [first, second] = [clientOf(t, daemon), clientOf(t, daemon)];
  const one = first.publish("o", ECHO);
  await one.ready(stay);
  const other = second.publish("o", ECHO);
  await until(() => second.errors.length > 0);
  t.match(second.errors[0], { status: "INVALID_ARGUMENT", message: "publishing o: invalid argument" });
  t.notOk(other.isPublished);
  one.close();
  await other.ready(stay);
  t.equal((await first.lookup("o")).length, 1);
  other.close();
  await until(() => !other.isPublished);
  await t.rejects(other.ready(stay), { message: "publishing o: closed" });
});

interface Heard {
  readonly notes: (readonly [string, UbusTable])[];
  readonly turns: string[];
  readonly onNotification: (type: string, data: UbusTable) => void;
  readonly onUp: () => void;
  readonly onDown: () => void;
}

function heard(): Heard {
  const notes: (readonly [string, UbusTable])[] = [];
  const turns: string[] = [];
  return {
    notes,
    turns,
    onNotification: (type, data) => notes.push([type, data]),
    onUp: () => turns.push("up"),
    onDown: () => turns.push("down"),
  };
}

test("notifications reach all who subscribe, while they do", async (t) => {
  const daemon = await started(t);
  const [server, ...clients] = [clientOf(t, daemon), clientOf(t, daemon), clientOf(t, daemon)];
  const active: boolean[] = [];
  const object = server.publish("o", ECHO, (now) => active.push(now));
  await object.ready(stay);
  t.notOk(object.notify("lost"), "nobody is there");
  const ears = clients.map(() => heard());
  const subscriptions = clients.map((client, index) => client.subscribe("o", ears[index] ?? heard()));
  await Promise.all(subscriptions.map(async (subscription) => subscription.ready(stay)));
  await until(() => object.hasSubscribers);
  t.ok(object.notify("changed", { n: 1 }));
  t.ok(object.notify("changed", { n: 2 }));
  await until(() => ears.every(({ notes }) => notes.length === 2));
  for (const { notes } of ears) {
    t.strictSame(notes, [
      ["changed", { n: 1 }],
      ["changed", { n: 2 }],
    ]);
  }
  const answers = await object.notifyAndWait("asked", {});
  t.same(
    answers.map(({ status }) => status),
    ["OK", "OK"],
  );
  for (const subscription of subscriptions) subscription.close();
  await until(() => !object.hasSubscribers);
  t.same(active, [true, false]);
  t.same(await object.notifyAndWait("asked", {}), []);
  for (const { turns } of ears) t.same(turns, ["up", "down"]);
});

test("a subscription waits for its object, and for its return", async (t) => {
  const daemon = await started(t);
  const client = clientOf(t, daemon);
  const ear = heard();
  const subscription = client.subscribe("late", ear);
  await client.lookup("late");
  t.notOk(subscription.isUp);
  for (let turn = 0; turn < 3; turn++) {
    const server = clientOf(t, daemon);
    const object = server.publish("late", ECHO);
    await until(() => object.hasSubscribers && subscription.isUp);
    object.notify("here", { turn });
    await until(() => ear.notes.length > turn);
    server.close();
    await until(() => !subscription.isUp);
  }
  t.same(ear.turns, ["up", "down", "up", "down", "up", "down"]);
  t.same(client.errors, [], "that it is not there is no error");
});

test("events reach those who listen for them, and not who sends them", async (t) => {
  const daemon = await started(t);
  const [sender, client] = [clientOf(t, daemon), clientOf(t, daemon)];
  const got: (readonly [string, string, UbusTable])[] = [];
  const listen = (who: Client, pattern: string): ReturnType<Client["listen"]> =>
    who.listen(pattern, (event, data) => got.push([pattern, event, data]));
  const listeners = [listen(client, "a.*"), listen(client, "a.b"), listen(client, "*"), listen(sender, "*")];
  await Promise.all(listeners.map(async (listener) => listener.ready(stay)));
  await sender.send("a.b", { n: 1 });
  await sender.send("c");
  await until(() => got.some(([, event]) => event === "c"));
  t.strictSame(got.filter(([, event]) => !event.startsWith("ubus.")).sort(), [
    ["*", "a.b", { n: 1 }],
    ["*", "c", {}],
    ["a.*", "a.b", { n: 1 }],
    ["a.b", "a.b", { n: 1 }],
  ]);
  await t.rejects(sender.send("ubus.object.add"), failing("PERMISSION_DENIED"));
  listeners[0]?.close();
  await sender.lookup();
  await client.lookup();
  got.length = 0;
  await sender.send("a.c");
  await until(() => got.length > 0);
  t.same(got, [["*", "a.c", {}]]);
});

test("handlers that throw are reported, and disturb nobody else", async (t) => {
  const daemon = await started(t);
  const [server, client] = [clientOf(t, daemon), clientOf(t, daemon)];
  const object = server.publish("o", ECHO);
  const fail = (): never => {
    throw new Error("a mistake");
  };
  const [bad, good] = [client.subscribe("o", { onNotification: fail }), heard()];
  await Promise.all([bad.ready(stay), client.subscribe("o", good).ready(stay), client.listen("e", fail).ready(stay)]);
  await until(() => object.hasSubscribers);
  object.notify("changed");
  await server.send("e");
  await until(() => good.notes.length === 1 && client.errors.length === 2);
  t.same(client.errors.map(({ message }) => message).sort(), ["listening for e: a mistake", "subscribing to o: a mistake"]);
});

test("ubusd restarts: objects, subscriptions and listeners are put back, names looked up again", async (t) => {
  const daemon = await started(t);
  const [server, client] = [clientOf(t, daemon), clientOf(t, daemon)];
  const object = server.publish("o", ECHO);
  const ear = heard();
  const events: string[] = [];
  const subscription = client.subscribe("o", ear);
  const listener = client.listen("e", (event) => events.push(event));
  await Promise.all([object.ready(stay), subscription.ready(stay), listener.ready(stay)]);
  t.strictSame(await client.call("o", "echo", { count: 1 }), { count: 1 });
  const [before] = await client.lookup("o");
  for (let turn = 1; turn <= 2; turn++) {
    await daemon.stop();
    await until(() => !subscription.isUp && !object.isPublished && !listener.isListening);
    const early = client.call("o", "echo", { count: 2 });
    early.catch(() => undefined);
    await daemon.start();
    await until(() => subscription.isUp && object.hasSubscribers && listener.isListening);
    // It waited for ubusd, though not for the object.
    await early.catch((error: unknown) => t.match(error, { status: "NOT_FOUND" }));
    t.strictSame(await client.call("o", "echo", { count: 3 }), { count: 3 });
    object.notify("back", { turn });
    await server.send("e");
    await until(() => ear.notes.length === turn && events.length === turn);
  }
  t.not((await client.lookup("o"))[0]?.id, before?.id);
  t.same(ear.turns, ["up", "down", "up", "down", "up"]);
  const kinds = client.states.map(({ kind }) => kind);
  t.equal(kinds.filter((kind) => kind === "up").length, 3);
  t.ok(kinds.filter((kind) => kind === "down").length >= 2);
  t.match(
    client.states.find(({ kind }) => kind === "down"),
    { error: { status: "CONNECTION_FAILED" }, retry: 125 },
  );
});

test("ubusd goes in a call: it fails at once, and is not made again", async (t) => {
  const daemon = await started(t);
  const [server, client] = [clientOf(t, daemon), clientOf(t, daemon)];
  let calls = 0;
  const wait = async (): Promise<undefined> => {
    calls++;
    await new Promise(() => undefined);
    return undefined;
  };
  await server.publish("o", { wait: { arguments: {}, call: wait } }).ready(stay);
  const call = client.call("o", "wait");
  await until(() => calls === 1);
  const failed = t.rejects(call, {
    status: "CONNECTION_FAILED",
    message: /^(ubusd closed the connection|the connection to ubusd broke)/,
  });
  await daemon.stop();
  await failed;
  await daemon.start();
  await until(() => client.isConnected && server.isConnected);
  await client.lookup();
  t.equal(calls, 1);
});

test("without ubusd calls wait for it, up to their limit, and then say why", async (t) => {
  const daemon = new Daemon(t);
  const client = clientOf(t, daemon);
  const [object, ear] = [client.publish("o", ECHO), heard()];
  client.subscribe("p", ear);
  await t.rejects(client.call("o", "echo", {}, { timeout: 150 }), {
    status: "CONNECTION_FAILED",
    message: /^o echo: no answer within 150 ms: ubusd is not there: .*ENOENT/,
  });
  const waiting = client.lookup();
  await daemon.start();
  await waiting;
  await object.ready(stay);
  t.same(client.errors, []);
});

test("a closed client ends everything, and refuses everything", async (t) => {
  const daemon = await started(t);
  const end = new AbortController();
  const client = clientOf(t, daemon, undefined, { signal: end.signal });
  const other = clientOf(t, daemon);
  const object = client.publish("o", ECHO);
  await object.ready(stay);
  const waiting = client.subscribe("nothing", heard()).ready(stay);
  end.abort();
  await t.rejects(waiting, { status: "CONNECTION_FAILED", message: "subscribing to nothing: closed" });
  await t.rejects(client.call("o", "echo"), { status: "CONNECTION_FAILED", message: "this client of ubusd was closed" });
  await t.rejects(client.publish("p", ECHO).ready(stay), { message: "publishing p: closed" });
  await until(() => !object.isPublished);
  let left = 1;
  while (left > 0) left = (await other.lookup("o")).length;
  t.equal(client.states.filter(({ kind }) => kind === "down").length, 0, "it is not told to be down: it was closed");
});
