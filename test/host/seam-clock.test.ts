import { test } from "../harness/index.ts";
import { host, stay, until } from "./seam.ts";

const { clock, processes, program } = host;

test("a sleep takes its time, and ends with the reason it was ended for, at once", async (t) => {
  const before = clock.monotonic();
  await clock.sleep(50, stay);
  const slept = clock.monotonic() - before;
  t.ok(slept >= 49 && slept < 5_000, `${String(slept)} ms`);
  const enough = new AbortController();
  const reason = new Error("enough");
  const sleeping = clock.sleep(60_000, enough.signal);
  enough.abort(reason);
  t.equal(await sleeping.catch((error: unknown) => error), reason);
  t.equal(await clock.sleep(60_000, enough.signal).catch((error: unknown) => error), reason, "nor is one begun");
  t.ok(clock.monotonic() - before < 10_000);
});

test("the clocks agree about how time goes", async (t) => {
  const [wall, monotonic] = [clock.wall(), clock.monotonic()];
  await clock.sleep(100, stay);
  const difference = clock.wall() - wall - (clock.monotonic() - monotonic);
  t.ok(Math.abs(difference) < 50, `${String(difference)} ms apart`);
  t.ok(wall > 1_700_000_000_000, "milliseconds since 1970");
});

test("timers come in the order in which they are due, microtasks before them, and one that is stopped never", async (t) => {
  const order: string[] = [];
  setTimeout(() => order.push("60"), 60);
  setTimeout(() => order.push("20, first"), 20);
  setTimeout(() => {
    order.push("20, second");
    queueMicrotask(() => order.push("microtask"));
    setTimeout(() => order.push("soon"), 0);
  }, 20);
  const never = setTimeout(() => order.push("never"), 30);
  clearTimeout(never);
  let ticks = 0;
  const interval = setInterval(() => {
    ticks += 1;
    if (ticks === 3) clearInterval(interval);
  }, 5);
  await until("the last", () => order.includes("60") || undefined);
  await clock.sleep(30, stay);
  t.same(order, ["20, first", "20, second", "microtask", "soon", "60"]);
  t.equal(ticks, 3);
});

test("a thousand timers at once", async (t) => {
  const ended = await Promise.all(
    Array.from({ length: 1_000 }, async (_, i) => {
      await clock.sleep(1 + ((i * 37) % 50), stay);
      return i;
    }),
  );
  t.equal(ended.length, 1_000);
});

test("a signal is told to whoever wants it, each time, and does nothing else", async (t) => {
  const heard: string[] = [];
  program.onSignal("SIGHUP", () => heard.push("one"));
  program.onSignal("SIGHUP", () => heard.push("other"));
  for (let time = 1; time <= 3; time += 1) {
    t.ok(processes.kill(processes.pid, "SIGHUP"));
    await until("it is heard", () => heard.length >= 2 * time || undefined);
  }
  t.same(heard, ["one", "other", "one", "other", "one", "other"]);
});

test("a signal is told while others keep the loop busy", async (t) => {
  let [heard, busy] = [false, true];
  program.onSignal("SIGINT", () => (heard = true));
  const loud = await processes.converse("yes", []);
  const reading = (async () => {
    for await (const chunk of loud.output) if (!busy || chunk.length === 0) break;
  })();
  processes.kill(processes.pid, "SIGINT");
  await until("it is heard", () => heard || undefined);
  busy = false;
  await reading;
  await loud.close();
  t.ok(heard);
});

test("random bytes are as many as were asked for, and others each time", (t) => {
  for (const count of [0, 1, 32, 4096]) t.equal(host.random(count).length, count);
  t.not([...host.random(16)].join(), [...host.random(16)].join());
  const seen = new Set(host.random(10_000));
  t.equal(seen.size, 256, "every byte comes");
});
