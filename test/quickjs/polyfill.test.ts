import { Buffer } from "node:buffer";
import fc from "fast-check";
import { installGlobals } from "../../src/host/polyfill.ts";
import { abortControllerClass, type PlainAbortController } from "../../src/host/polyfill/abort.ts";
import { describeValue, makeConsole } from "../../src/host/polyfill/console.ts";
import { makeTimers, type OneShot } from "../../src/host/polyfill/timers.ts";
import { decodeUtf8, encodeUtf8, Utf8Decoder, Utf8Encoder } from "../../src/host/polyfill/utf8.ts";
import { test } from "../harness/index.ts";

// Node's own are what the polyfills are measured by.

const RUNS = { numRuns: 2000 };
/** Bytes that make up, and break, sequences of every length; the lead bytes whose second byte is restricted among them. */
const awkwardByte = fc.constantFrom(
  ...[0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xed, 0xef, 0xf0, 0xf1, 0xf4, 0xf5, 0xff],
  ...[0xbb, 0xbf],
);
const awkwardBytes = fc.oneof(
  fc.uint8Array({ maxLength: 64 }),
  fc.array(awkwardByte, { maxLength: 12 }).map((bytes) => Uint8Array.from(bytes)),
);
/** Any code units, lone surrogates too. */
const anyText = fc.array(fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.integer({ min: 0xd7ff, max: 0xe000 })), { maxLength: 40 });

function attempt(decode: () => string): string {
  try {
    return `text ${decode()}`;
  } catch (error) {
    return error instanceof Error ? error.name : "something else";
  }
}

test("UTF-8 is encoded as Node does", (t) => {
  fc.assert(
    fc.property(anyText, (units) => {
      const text = String.fromCharCode(...units);
      return Buffer.from(encodeUtf8(text)).equals(new TextEncoder().encode(text));
    }),
    RUNS,
  );
  t.same([...new Utf8Encoder().encode()], [], "no text");
});

test("UTF-8 is decoded as Node does", (t) => {
  fc.assert(
    fc.property(awkwardBytes, (bytes) => decodeUtf8(bytes, false) === new TextDecoder().decode(bytes)),
    RUNS,
  );
  t.equal(new Utf8Decoder().decode(), "", "no bytes");
});

test("fatal decoding refuses what Node refuses", (t) => {
  const wanted = new TextDecoder("utf-8", { fatal: true });
  const found = new Utf8Decoder("utf-8", { fatal: true });
  fc.assert(
    fc.property(awkwardBytes, (bytes) => attempt(() => found.decode(bytes)) === attempt(() => wanted.decode(bytes))),
    RUNS,
  );
  t.throws(() => found.decode(Uint8Array.of(0xff)), TypeError);
  t.throws(() => new Utf8Decoder("latin1"), RangeError);
});

test("every first and second byte decodes as on Node, whatever follows", (t) => {
  const lenient = new TextDecoder();
  const strict = new TextDecoder("utf-8", { fatal: true });
  const wrong: string[] = [];
  for (let pair = 0; pair < 0x10000; pair += 1) {
    const [first, second] = [pair >> 8, pair & 0xff];
    for (const rest of [[], [0x41], [0x80, 0x80]]) {
      const bytes = Uint8Array.of(first, second, ...rest);
      if (decodeUtf8(bytes, false) !== lenient.decode(bytes)) wrong.push(`${bytes.join(" ")}, lenient`);
    }
    // The continuation that makes a whole sequence, so that nothing else can be what is refused.
    const whole = Uint8Array.of(first, second, ...(first >= 0xf0 ? [0x80, 0x80] : first >= 0xe0 ? [0x80] : []));
    if (first >= 0xc0 && attempt(() => decodeUtf8(whole, true)) !== attempt(() => strict.decode(whole))) wrong.push(whole.join(" "));
  }
  t.same(wrong, []);
});

test("large texts and views into larger buffers pass both ways", (t) => {
  const text = "häuser, 家 and 🏠 – ".repeat(200_000);
  const bytes = encodeUtf8(text);
  t.ok(Buffer.from(bytes).equals(Buffer.from(text, "utf8")), "encoded");
  t.ok(decodeUtf8(bytes, true) === text, "decoded");
  t.equal(decodeUtf8(bytes.subarray(1, 3), true), "ä", "a view");
});

function abortStory(Controller: new () => PlainAbortController): string[] {
  const story: string[] = [];
  const controller = new Controller();
  const { signal } = controller;
  const second = (): void => void story.push("second");
  const third = (): void => void story.push("third");
  signal.addEventListener("abort", () => {
    story.push(`first, aborted ${signal.aborted}`);
    signal.removeEventListener("abort", third);
  });
  signal.addEventListener("abort", second, { once: true });
  signal.addEventListener("abort", second);
  signal.addEventListener("abort", third);
  signal.throwIfAborted();
  story.push(`before ${signal.aborted} ${String(signal.reason)}`);
  controller.abort("why");
  controller.abort("again");
  story.push(`after ${signal.aborted} ${String(signal.reason)} ${signal === controller.signal}`);
  try {
    signal.throwIfAborted();
  } catch (error) {
    story.push(`threw ${String(error)}`);
  }
  return story;
}

test("AbortController behaves as Node's", (t) => {
  const polyfill = abortControllerClass(() => t.fail("nothing throws here"));
  const story = abortStory(polyfill);
  t.same(story, abortStory(AbortController));
  t.ok(story.includes("second"), "listeners were called");

  for (const Controller of [polyfill, AbortController]) {
    const controller = new Controller();
    controller.abort();
    t.match(controller.signal.reason, { name: "AbortError", message: /^This operation was aborted$/ }, "the default reason");
  }
});

test("a listener that throws does not keep the next from being called", (t) => {
  const reported: unknown[] = [];
  const controller = new (abortControllerClass((error) => reported.push(error)))();
  let called = 0;
  controller.signal.addEventListener("abort", () => {
    throw new Error("mine");
  });
  controller.signal.addEventListener("abort", () => (called += 1));
  controller.abort();
  t.equal(called, 1);
  t.match(reported, [{ message: "mine" }]);
});

/** An engine's one-shot timers with a clock that the test moves. */
function fakeEngine(): OneShot<number> & { advance: (ms: number) => void; armed: () => number } {
  const due = new Map<number, { at: number; callback: () => void }>();
  let [now, last] = [0, 0];
  return {
    set(callback, ms) {
      last += 1;
      due.set(last, { at: now + ms, callback });
      return last;
    },
    clear: (handle) => void due.delete(handle),
    advance(ms) {
      const end = now + ms;
      for (;;) {
        const [next] = [...due].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at);
        if (next === undefined) break;
        due.delete(next[0]);
        now = next[1].at;
        next[1].callback();
      }
      now = end;
    },
    armed: () => due.size,
  };
}

test("timers: once, again and again, stopped", (t) => {
  const engine = fakeEngine();
  const { setTimeout, setInterval, clearTimeout, clearInterval } = makeTimers(engine);
  const story: string[] = [];
  setTimeout(() => story.push("once"), 10);
  clearTimeout(setTimeout(() => story.push("never"), 10));
  let ticks = 0;
  const interval = setInterval(() => {
    ticks += 1;
    story.push(`tick ${ticks}`);
    if (ticks === 3) clearInterval(interval);
  }, 15);
  engine.advance(100);
  t.same(story, ["once", "tick 1", "tick 2", "tick 3"]);
  t.equal(engine.armed(), 0, "nothing is left armed");
  clearInterval(interval);
  clearTimeout(undefined);
  t.equal(engine.armed(), 0, "stopping twice is harmless");
});

test("timers: what is no sensible time is 1 ms, as on Node", (t) => {
  const asked: number[] = [];
  const { setTimeout } = makeTimers({ set: (_callback, ms) => asked.push(ms), clear: () => undefined });
  for (const ms of [-5, 0, 0.5, 1, 2.9, Number.NaN, 2 ** 31, 2 ** 31 - 1]) setTimeout(() => undefined, ms);
  t.same(asked, [1, 1, 1, 1, 2, 1, 1, 2 ** 31 - 1]);
});

test("console writes a line a call, to the right stream", (t) => {
  const [out, err]: [string[], string[]] = [[], []];
  const console = makeConsole(
    (text) => out.push(text),
    (text) => err.push(text),
  );
  console.log("a", 1, undefined, null, true, 2n);
  console.error({ b: [1] }, "c");
  t.same(out, ["a 1 undefined null true 2n\n"]);
  t.same(err, ['{"b":[1]} c\n']);
  const text = describeValue(new Error("outer", { cause: new TypeError("inner") }));
  t.match(text, /^Error: outer\n[^]*\ncaused by TypeError: inner\n/);
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  t.equal(describeValue(cycle), "[object Object]");
});

test("globals are installed where they lack, and only there", async (t) => {
  const bare: { [name: string]: unknown; queueMicrotask?: (callback: () => void) => void } = {
    console: { log: () => undefined },
    setInterval: "the engine's own",
  };
  const engine = fakeEngine();
  installGlobals(bare, { timers: engine, stdout: () => undefined, stderr: () => undefined });
  const wanted = ["AbortController", "TextDecoder", "TextEncoder", "clearInterval", "clearTimeout", "queueMicrotask", "setTimeout"];
  for (const name of wanted) t.equal(typeof bare[name], "function", name);
  t.equal(bare["setInterval"], "the engine's own");
  t.match(bare["console"], { log: Function, error: Function });

  const order: string[] = [];
  bare.queueMicrotask?.(() => order.push("microtask"));
  bare.queueMicrotask?.(() => {
    throw new Error("seen");
  });
  order.push("now");
  await new Promise((resolve) => setImmediate(resolve));
  t.same(order, ["now", "microtask"]);
  t.throws(() => engine.advance(1), /seen/, "what a microtask throws is not swallowed");
});
