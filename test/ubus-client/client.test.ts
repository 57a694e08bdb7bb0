import { UbusError, type UbusTable } from "../../src/ubus-client/index.ts";
import { test } from "../harness/index.ts";
import { clientOf, isReal, until } from "./daemon.ts";
import { ECHO, failing, started, stay } from "./scene.ts";

// Calls over a real socket, with our ubusd, or with the real one: `UBUSD=/sbin/ubusd node scripts/test.mjs test/ubus-client/client.test.ts`.

/** A gate that a method waits at. */
function gate(): { readonly open: () => void; readonly opened: Promise<void> } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open: () => open(), opened };
}

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
