import type { Datagram, Stream } from "../../src/host/types.ts";
import { test } from "../harness/index.ts";
import { all, areSame, bytes, directory, host, leavesNothing, pattern, shell, stay, text, until } from "./seam.ts";

const { files, sockets } = host;

async function echo(stream: Stream): Promise<void> {
  try {
    for await (const chunk of stream.input) await stream.write(chunk);
  } catch {
    // The caller went.
  } finally {
    stream.close();
  }
}

/** Says something and reads as much back. */
async function askEcho(path: string, said: Uint8Array): Promise<Uint8Array> {
  const stream = await sockets.connectUnix(path, stay);
  const written = stream.write(said);
  const heard = new Uint8Array(said.length);
  let size = 0;
  for await (const chunk of stream.input) {
    heard.set(chunk, size);
    size += chunk.length;
    if (size === said.length) break;
  }
  await written;
  stream.close();
  return heard;
}

test("two hundred callers at once each hear what they said", async (t) => {
  const path = `${await directory(t)}/socket`;
  const listener = await sockets.listenUnix(path, 0o600, (stream) => void echo(stream));
  const numbers = Array.from({ length: 200 }, (_, number) => number);
  const heard = await Promise.all(numbers.map(async (number) => text(await askEcho(path, bytes(`caller ${String(number)}`)))));
  t.same(
    heard,
    numbers.map((number) => `caller ${String(number)}`),
  );
  const large = pattern(4_000_000);
  t.ok(areSame(await askEcho(path, large), large), "4 MB both ways at once");
  await listener.close();
});

test("what is written is in order, each piece whole", async (t) => {
  const path = `${await directory(t)}/socket`;
  let received: Promise<Uint8Array> | undefined;
  const listener = await sockets.listenUnix(path, 0o600, (stream) => {
    received = all(stream.input);
  });
  const stream = await sockets.connectUnix(path, stay);
  const pieces = Array.from({ length: 50 }, (_, number) => bytes(`${String(number)} `.repeat(5_000)));
  await Promise.all(pieces.map(async (piece) => await stream.write(piece)));
  stream.close();
  const whole = text(await (received ?? Promise.reject(new Error("nobody called"))));
  t.ok(whole === pieces.map(text).join(""), `${String(whole.length)} bytes`);
  await listener.close();
});

test("a Unix socket replaces what is stale, is private from the start, and closes with all its callers", async (t) => {
  const path = `${await directory(t)}/socket`;
  await files.replace(path, bytes("stale"), 0o644);
  const listener = await sockets.listenUnix(path, 0o600, (stream) => void stream.write(bytes("hello")));
  t.match(await files.status(path), { kind: "socket", mode: 0o600 });
  const caller = await sockets.connectUnix(path, stay);
  const input = caller.input[Symbol.asyncIterator]();
  const first: unknown = (await input.next()).value;
  t.equal(first instanceof Uint8Array ? text(first) : "", "hello");
  await listener.close();
  t.equal((await input.next()).done, true, "the caller sees the end");
  caller.close();
  t.equal(await files.status(path), undefined, "nothing is left at its path");
  const open = await sockets.listenUnix(path, 0o666, () => undefined);
  t.equal((await files.status(path))?.mode, 0o666);
  await open.close();
});

test("a call that can't be made says why, and one that is no longer wanted is not made", async (t) => {
  const where = await directory(t);
  await t.rejects(sockets.connectUnix(`${where}/none`, stay), { name: "HostError", code: "ENOENT" });
  await files.replace(`${where}/file`, bytes(""), 0o600);
  await t.rejects(sockets.connectUnix(`${where}/file`, stay), { name: "HostError", code: "ECONNREFUSED" });
  await t.rejects(
    sockets.listenUnix(`${where}/no/where`, 0o600, () => undefined),
    { name: "HostError", code: /ENOENT|EACCES/ },
  );
  const reason = new Error("enough");
  const enough = new AbortController();
  enough.abort(reason);
  t.equal(await sockets.connectUnix(`${where}/none`, enough.signal).catch((error: unknown) => error), reason);
});

test("whoever closes a stream hears its end at once, and its peer does", async (t) => {
  const path = `${await directory(t)}/socket`;
  const callers: Stream[] = [];
  const listener = await sockets.listenUnix(path, 0o600, (stream) => callers.push(stream));
  const ours = await sockets.connectUnix(path, stay);
  const theirs = await until("a caller", () => callers[0]);
  const listening = [all(ours.input), all(theirs.input)];
  ours.close();
  ours.close();
  for (const heard of listening) t.equal((await heard).length, 0, "an end, and no error");
  await t.rejects(ours.write(bytes("x")), { name: "HostError", code: "EPIPE" });
  // One that breaks off reading has closed it.
  const second = await sockets.connectUnix(path, stay);
  const peer = await until("another caller", () => callers[1]);
  await peer.write(bytes("some"));
  for await (const chunk of second.input) if (chunk.length > 0) break;
  t.equal((await all(peer.input)).length, 0);
  await listener.close();
});

test("a write to a peer that left is refused", async (t) => {
  const path = `${await directory(t)}/socket`;
  const listener = await sockets.listenUnix(path, 0o600, (stream) => {
    stream.close();
  });
  const stream = await sockets.connectUnix(path, stay);
  t.equal((await all(stream.input)).length, 0);
  await t.rejects(stream.write(bytes("x")), { name: "HostError", code: "EPIPE" });
  stream.close();
  await listener.close();
});

test("datagrams go out and come in, and one that can't go is told of without an end to the others", async (t) => {
  const heard: Datagram[] = [];
  const ear = await sockets.bindUdp("127.0.0.1", 0, (datagram) => heard.push(datagram));
  const mouth = await sockets.bindUdp("127.0.0.1", 0, () => undefined);
  // Bound to the loopback, it has no way out.
  await t.rejects(mouth.send(bytes("far"), "192.0.2.1", 9), { name: "HostError", code: "EINVAL" });
  await t.rejects(mouth.send(new Uint8Array(70_000), "127.0.0.1", ear.port), { name: "HostError", code: "EMSGSIZE" });
  for (const said of [bytes("near"), new Uint8Array(), pattern(65_507)]) {
    await mouth.send(said, "127.0.0.1", ear.port);
    const { bytes: found, address, port } = await until("it is heard", () => heard.shift());
    t.ok(areSame(found, said), `${String(said.length)} bytes`);
    t.same([address, port], ["127.0.0.1", mouth.port]);
  }
  await t.rejects(
    sockets.bindUdp("127.0.0.1", ear.port, () => undefined),
    { name: "HostError", code: "EADDRINUSE" },
  );
  await t.rejects(
    sockets.bindUdp("192.0.2.1", 0, () => undefined),
    { name: "HostError", code: "EADDRNOTAVAIL" },
  );
  for (const socket of [ear, mouth, ear, mouth]) socket.close();
  await t.rejects(mouth.send(bytes("late"), "127.0.0.1", ear.port), { name: "HostError", code: "EBADF" });
});

test("no datagram is lost on the loopback, and none is heard twice or out of order", async (t) => {
  const heard: number[] = [];
  const ear = await sockets.bindUdp("127.0.0.1", 0, ({ bytes: [high = 0, low = 0] }) => heard.push(high * 256 + low));
  const mouth = await sockets.bindUdp("127.0.0.1", 0, () => undefined);
  const [total, window] = [5_000, 50];
  for (let sent = 0; sent < total; sent += window) {
    // As many as fit into the ear's buffer for sure.
    const numbers = Array.from({ length: window }, (_, i) => sent + i);
    await Promise.all(
      numbers.map(async (number) => await mouth.send(Uint8Array.of(number >> 8, number & 255, ...pattern(98)), "127.0.0.1", ear.port)),
    );
    await until("they are heard", () => heard.length >= sent + window || undefined);
  }
  t.ok(heard.length === total && heard.every((number, i) => number === i), `${String(heard.length)} of ${String(total)}`);
  ear.close();
  mouth.close();
});

test("a socket that is closed in the midst of what comes hears no more", async (t) => {
  let count = 0;
  const ear = await sockets.bindUdp("127.0.0.1", 0, () => {
    count += 1;
    ear.close();
  });
  const mouth = await sockets.bindUdp("127.0.0.1", 0, () => undefined);
  for (let i = 0; i < 10; i += 1) await mouth.send(bytes("x"), "127.0.0.1", ear.port);
  await until("one is heard", () => count || undefined);
  await host.clock.sleep(50, stay);
  t.equal(count, 1);
  mouth.close();
});

test("sockets are closed by exec(), and leave no descriptor", async (t) => {
  const path = `${await directory(t)}/socket`;
  const inherited = await shell("ls /proc/$$/fd");
  await leavesNothing(t, async () => {
    const listener = await sockets.listenUnix(path, 0o600, (stream) => void echo(stream));
    const udp = await sockets.bindUdp("127.0.0.1", 0, () => undefined);
    await askEcho(path, bytes("x"));
    const held = await sockets.connectUnix(path, stay);
    t.equal(await shell("ls /proc/$$/fd"), inherited);
    await sockets.connectUnix(`${path}.none`, stay).catch(() => undefined);
    await sockets.bindUdp("192.0.2.1", 0, () => undefined).catch(() => undefined);
    udp.close();
    held.close();
    await listener.close();
  });
});
