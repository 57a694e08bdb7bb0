import type { UbusClient, UbusTable } from "../../src/ubus-client/index.ts";
import { test } from "../harness/index.ts";
import { clientOf, Daemon, type Told, until } from "./daemon.ts";
import { ECHO, failing, heard, started, stay } from "./scene.ts";

// Notifications, events, and ubusd's coming and going; with UBUSD=/sbin/ubusd over the real one.

type Client = UbusClient & Told;

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
