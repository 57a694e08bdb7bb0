import {
  type Attributes,
  encodeMessage,
  encodeTable,
  type Message,
  type MessageType,
  UbusClient,
  UbusError,
  type UbusState,
} from "../../src/ubus-client/index.ts";
import { type Test, test } from "../harness/index.ts";
import { mutated, randomOf } from "./mutate.ts";
import { Pipe, settle } from "./pipe.ts";
import { lines } from "./recorded.ts";

// What comes that no well-behaved ubusd, or service, sends.

const SEED = Math.floor(Math.random() * 2 ** 32);
const OBJECT = 77_777;

const message = (type: MessageType, seq: number, peer: number, attributes: Attributes): Message => ({ type, seq, peer, attributes });
const status = (seq: number, peer: number, code: number): Message => message("status", seq, peer, { status: code });

interface Scene {
  readonly client: UbusClient;
  readonly pipes: Pipe[];
  readonly states: UbusState[];
  readonly errors: UbusError[];
  /** The connection of now. */
  readonly pipe: () => Pipe;
}

function scene(t: Test, writable = true): Scene {
  const [pipes, states, errors]: [Pipe[], UbusState[], UbusError[]] = [[], [], []];
  const client = new UbusClient({
    connect: async () => {
      const pipe = new Pipe(writable);
      pipes.push(pipe);
      return pipe;
    },
    onState: (state) => void states.push(state),
    onError: (error) => void errors.push(error),
    random: () => 0,
  });
  t.teardown(() => client.close());
  const pipe = (): Pipe => {
    const last = pipes.at(-1);
    if (last === undefined) throw new Error("no connection");
    return last;
  };
  return { client, pipes, states, errors, pipe };
}

async function connected(t: Test, writable = true): Promise<Scene> {
  const made = scene(t, writable);
  await settle();
  made.pipe().hello();
  await settle();
  return made;
}

/** Plays ubusd for the lookup of a call; answers the number that the call then has. */
async function lookedUp({ pipe }: Scene): Promise<number> {
  await settle();
  const last = pipe().sent.at(-1);
  if (last?.type !== "lookup") return last?.seq ?? 0;
  pipe().put(
    message("data", last.seq, 0, { objectPath: "o", objectId: OBJECT, objectType: 1, signature: new Uint8Array() }),
    status(last.seq, 0, 0),
  );
  await settle();
  return pipe().sent.at(-1)?.seq ?? 0;
}

test("what answers is no ubusd: it is left, and tried again", async (t) => {
  const { pipe, states } = scene(t);
  await settle();
  pipe().put(status(0, 0, 0));
  await settle();
  t.match(states, [
    { kind: "down", retry: 125, error: { status: "PARSE_ERROR", message: "what answers is no ubusd: its first message is no HELLO" } },
  ]);
  t.ok(pipe().closed);
});

test("answers with another's number, or from another, do not count", async (t) => {
  const made = await connected(t);
  const { client, pipe } = made;
  const call = client.call("o", "m");
  const seq = await lookedUp(made);
  const data = encodeTable({ forged: true });
  pipe().put(
    message("data", seq, OBJECT + 1, { objectId: OBJECT, data }),
    status(seq, OBJECT + 1, 0),
    status(seq, 0, 0),
    message("data", seq + 1, OBJECT, { objectId: OBJECT, data }),
    status(seq + 1, OBJECT, 0),
  );
  await settle();
  pipe().put(message("data", seq, OBJECT, { objectId: OBJECT, data: encodeTable({ forged: false }) }), status(seq, OBJECT, 0));
  t.strictSame(await call, { forged: false });
});

test("an answer that can't be read fails its call alone", async (t) => {
  const made = await connected(t);
  const { client, pipe, pipes } = made;
  const odd: readonly (readonly [string, (seq: number) => readonly (Uint8Array | Message)[], string])[] = [
    [
      "a table that is none",
      (seq) => [message("data", seq, OBJECT, { data: Uint8Array.of(1, 2, 3, 4) })],
      "an attribute of 131844 bytes can't be in the 4 bytes that are left",
    ],
    ["another version", (seq) => [encodeMessage(status(seq, OBJECT, 0)).with(0, 9)], "version 9 of the ubus protocol is unknown"],
    [
      "an attribute beyond the end",
      (seq) => [encodeMessage(status(seq, OBJECT, 0)).with(15, 99)],
      "an attribute of 99 bytes can't be in the 8 bytes that are left",
    ],
  ];
  for (const [name, answer, wanted] of odd) {
    const call = client.call("o", "m");
    const seq = await lookedUp(made);
    const failed = t.rejects(call, { name: "UbusError", status: "PARSE_ERROR", message: wanted }, name);
    pipe().put(...answer(seq));
    await failed;
  }
  const call = client.call("o", "m");
  const seq = await lookedUp(made);
  pipe().put(status(seq, OBJECT, 0));
  t.strictSame(await call, {});
  t.equal(pipes.length, 1);
});

test("a length that no message has ends the connection, and the call on it", async (t) => {
  const made = await connected(t);
  const { client, pipe, pipes, states } = made;
  const failed = t.rejects(client.call("o", "m"), { status: "PARSE_ERROR", message: "a message of 2 bytes is none: 4 to 1048576 are" });
  await lookedUp(made);
  pipe().put(Uint8Array.of(0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2));
  await failed;
  t.ok(pipe().closed);
  t.match(states.at(-1), { kind: "down" });
  while (pipes.length === 1) await settle();
  pipe().hello();
  await settle();
  t.ok(client.isConnected);
});

test("an answer without an end is cut off at 4 MiB", async (t) => {
  const made = await connected(t);
  const { client, pipe } = made;
  const failed = t.rejects(client.call("o", "m"), { status: "NO_MEMORY", message: "o m: the answer is over 4194304 bytes" });
  const seq = await lookedUp(made);
  const data = encodeTable({ text: "x".repeat(1024 * 1024 - 100) });
  for (let count = 0; count < 5; count++) pipe().put(message("data", seq, OBJECT, { data }));
  await failed;
});

test("a ubusd that reads nothing takes 4 MiB of memory, and no more", async (t) => {
  const { client } = await connected(t, false);
  const text = "x".repeat(1_000_000);
  const failures: string[] = [];
  const sends = Array.from({ length: 10 }, async () =>
    client.send("e", { text }, { timeout: 200 }).catch((error: unknown) => {
      failures.push(error instanceof UbusError ? error.status : String(error));
    }),
  );
  await Promise.all(sends);
  t.same([...failures].sort(), [...Array<string>(6).fill("NO_MEMORY"), ...Array<string>(4).fill("TIMEOUT")]);
});

test("4096 requests may wait; one more is refused", async (t) => {
  const { client, pipe } = await connected(t);
  const stops = Array.from({ length: 4096 }, () => new AbortController());
  const ended = stops.map(async ({ signal }) => client.lookup("o", { signal }).catch(() => undefined));
  await settle();
  t.equal(new Set(pipe().sent.map(({ seq }) => seq)).size, 4096);
  await t.rejects(client.lookup("o"), { status: "NO_MEMORY", message: "looking up o: too many requests wait for their answers" });
  for (const stop of stops) stop.abort();
  await Promise.all(ended);
  const last = client.lookup("o");
  await settle();
  pipe().put(status(pipe().sent.at(-1)?.seq ?? 0, 0, 4));
  t.same(await last, []);
});

test("calls for objects that are not ours, and without what they need", async (t) => {
  const { client, pipe, errors } = await connected(t);
  const publication = client.publish("o", { m: { arguments: { n: "int32" }, call: () => ({ ok: true }) } });
  await settle();
  const added = pipe().sent.at(-1)?.seq ?? 0;
  // The first call is in the same piece as ubusd's answer.
  const call = (seq: number, attributes: Attributes): Message => message("invoke", seq, 5, attributes);
  const pieces = [
    message("data", added, 0, { objectId: OBJECT, objectType: 2 }),
    status(added, 0, 0),
    call(1, { objectId: OBJECT, method: "m", data: new Uint8Array() }),
  ].map(encodeMessage);
  pipe().put(Uint8Array.from(pieces.flatMap((piece) => [...piece])));
  pipe().put(
    call(2, { objectId: OBJECT + 1, method: "m", data: new Uint8Array() }),
    call(3, { objectId: OBJECT, method: "m" }),
    call(4, { objectId: OBJECT, data: new Uint8Array() }),
    call(5, { objectId: OBJECT, method: "constructor", data: new Uint8Array() }),
    call(6, { objectId: OBJECT, method: "m", data: Uint8Array.of(1, 2, 3) }),
    call(7, { objectId: OBJECT, method: "m", data: encodeTable({ n: 2 ** 40 }) }),
    call(8, { objectId: OBJECT + 1, method: "m", noReply: true }),
  );
  await settle();
  t.ok(publication.isPublished);
  const answers = pipe().sent.filter(({ type, peer }) => type === "status" && peer === 5);
  t.same(
    answers.map(({ seq, attributes }) => [seq, attributes.status]).sort(([a = 0], [b = 0]) => a - b),
    [
      [1, 0],
      [2, 4],
      [3, 2],
      [4, 3],
      [5, 3],
      [6, 12],
      [7, 2],
    ],
  );
  t.same(errors, []);
});

test(`50 000 mutated messages: no crash, no hang, and afterwards a call is answered (seed ${SEED})`, async (t) => {
  const random = randomOf(SEED);
  const started = Date.now();
  const pool = lines.filter(({ dir, bytes, total }) => dir === "s2c" && bytes.length > 12 && total === undefined).map(({ bytes }) => bytes);
  const made = await connected(t);
  const { client, pipes, pipe } = made;
  const handler = { onNotification: () => undefined };
  client.publish("p", { echo: { arguments: {}, call: (args) => args } });
  client.subscribe("q", handler);
  client.listen("*", () => undefined);
  for (let turn = 0; turn < 500; turn++) {
    while (pipe().closed) await settle();
    if (!client.isConnected) pipe().hello();
    client.call("o", "m", {}, { timeout: 50 }).catch(() => undefined);
    await settle();
    // Numbers that requests wait for, so that something comes of it.
    const waiting = pipe().sent.map(({ seq }) => seq);
    for (let count = 0; count < 100; count++) {
      const bytes = mutated(pool[random(pool.length)] ?? new Uint8Array(), random);
      if (bytes.length > 4 && random(2) === 0) new DataView(bytes.buffer).setUint16(2, waiting[random(waiting.length)] ?? 0);
      pipe().put(bytes);
    }
    await settle();
    pipe().sent.length = 0;
  }
  t.comment(`${pipes.length} connections, in ${Date.now() - started} ms`);
  t.ok(pipes.length > 1, "some ended the connection");
  pipe().close();
  await settle();
  while (pipe().closed) await settle();
  pipe().hello();
  await settle();
  const call = client.call("o", "m", {}, { timeout: 5000 });
  await settle();
  const lookup = pipe().sent.at(-1)?.seq ?? 0;
  pipe().put(message("data", lookup, 0, { objectPath: "o", objectId: OBJECT, objectType: 1 }), status(lookup, 0, 0));
  await settle();
  pipe().put(status(pipe().sent.at(-1)?.seq ?? 0, OBJECT, 0));
  t.strictSame(await call, {});
});
