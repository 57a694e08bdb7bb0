import process from "node:process";
import { createHost } from "../../src/host/node.ts";
import type { Host } from "../../src/host/types.ts";
import { Kernel } from "../../src/kernel/kernel.ts";
import { watchKernel } from "../../src/kernel/watch.ts";
import { type Test, test } from "../harness/index.ts";
import { home, makeForeign, ownership } from "./home.ts";
import { enterNamespace, ip } from "./namespace.ts";

await enterNamespace();

const host = createHost();
const forever = new AbortController().signal;

/** Waits until the condition holds, at most five seconds. Answers the milliseconds it took. */
async function until(condition: () => boolean): Promise<number> {
  const start = Date.now();
  while (!condition()) {
    if (Date.now() - start > 5_000) throw new Error(`in vain: ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return Date.now() - start;
}

test("the watcher", async (t) => {
  makeForeign();
  const kernel = new Kernel(host, ownership);
  t.strictSame(await kernel.set(home, forever), []);
  const controller = new AbortController();
  const calls: number[] = [];
  let monitors: number[] = [];
  const noting: Host = {
    ...host,
    processes: {
      ...host.processes,
      async converse(program, args) {
        const conversation = await host.processes.converse(program, args);
        monitors.push(conversation.pid);
        return conversation;
      },
    },
  };
  const watching = watchKernel(noting, ownership, controller.signal, () => calls.push(Date.now()));
  await until(() => monitors.length === 1);
  // It listens once it has told of something.
  await until(() => {
    ip("rule", "add", "pref", "703", "lookup", "21302", "protocol", "213");
    ip("rule", "delete", "pref", "703", "protocol", "213");
    return calls.length > 0;
  });
  await quiet(calls);

  await t.test("tells within a second of what is Binder's, once for a bunch", async (t) => {
    t.equal(await reaction(t, () => ip("rule", "flush", "protocol", "213"), calls), 1);
    t.equal(await reaction(t, () => ip("route", "delete", "default", "table", "21302"), calls), 1);
    // The kernel may tell of the other end's carrier a second later.
    await reaction(t, () => ip("link", "set", "dev", "lan", "down"), calls);
    await reaction(t, () => ip("link", "set", "dev", "lan", "up"), calls);
    await quiet(calls, 1_200);
    t.ok((await kernel.set(home, forever)).length === 0);
  });

  await t.test("says nothing of other people's rules and routes", async (t) => {
    await quiet(calls);
    const before = calls.length;
    for (let i = 0; i < 20; i += 1) {
      ip("route", "replace", "198.51.100.0/24", "via", `10.0.0.${10 + i}`, "dev", "lan", "table", "8");
      ip("rule", "add", "pref", `${2000 + i}`, "lookup", "8");
    }
    // One of Binder's is told after all those.
    ip("rule", "delete", "pref", "702");
    await until(() => calls.length > before);
    await quiet(calls);
    t.equal(calls.length, before + 1);
  });

  await t.test("starts anew when its ip dies, and asks for a look then", async (t) => {
    await quiet(calls);
    const before = calls.length;
    const [first = 0] = monitors;
    process.kill(first, "SIGKILL");
    await until(() => monitors.length === 2);
    await until(() => calls.length > before);
    t.pass();
  });

  await t.test("does not spin while its ip dies again and again", async (t) => {
    const started = Date.now();
    const seen = monitors.length;
    while (Date.now() - started < 1_500) {
      const last = monitors.at(-1) ?? 0;
      if (host.processes.kill(last, "SIGKILL")) await new Promise((resolve) => setTimeout(resolve, 10));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    t.ok(monitors.length - seen <= 5, `${monitors.length - seen} starts in 1.5 s`);
  });

  await t.test("ends with the signal, and takes its ip along", async (t) => {
    controller.abort(new Error("done"));
    await watching;
    monitors = monitors.filter((pid) => host.processes.kill(pid, "SIGHUP"));
    t.strictSame(monitors, []);
  });
  t.strictSame(await kernel.cleanup(forever), []);
});

/** Until nothing was told for a while. */
async function quiet(calls: readonly number[], ms = 500): Promise<void> {
  const start = Date.now();
  await until(() => Date.now() - Math.max(start, calls.at(-1) ?? 0) > ms);
}

/** Does something, and answers how many times the watcher told of it; the first time within a second. */
async function reaction(t: Test, work: () => unknown, calls: readonly number[]): Promise<number> {
  await quiet(calls);
  const before = calls.length;
  work();
  const ms = await until(() => calls.length > before);
  t.ok(ms < 1_000, `told after ${ms} ms`);
  await quiet(calls);
  return calls.length - before;
}
