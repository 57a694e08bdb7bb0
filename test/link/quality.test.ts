import fc from "fast-check";
import { LossWindow } from "../../src/link/loss-window.ts";
import { UsualDelay } from "../../src/link/usual-delay.ts";
import { test } from "../harness/index.ts";

/** Sends a probe every 100 ms and says what became of each: true came back. Answers the time (ms). */
function feed(window: LossWindow, from: number, outcomes: readonly boolean[]): number {
  let now = from;
  for (const answered of outcomes) {
    window.sent(now, now, "counted");
    if (answered) window.answered(now);
    now += 100;
    window.judge(now);
  }
  return now;
}

const outcomes = (text: string): readonly boolean[] => Array.from(text, (one) => one === ".");

test("a line that loses three of ten is lossy within two seconds, and well again after twenty good probes", (t) => {
  const window = new LossWindow();
  let now = feed(window, 0, outcomes("...................."));
  t.notOk(window.lossy);
  now = feed(window, now, outcomes(".x...x..x.."));
  t.notOk(window.lossy, "three lost");
  now = feed(window, now, outcomes("x"));
  t.ok(window.lossy);
  t.equal(window.share, 0.2);
  now = feed(window, now, outcomes("............"));
  t.ok(window.lossy, "not yet");
  feed(window, now, outcomes("......"));
  t.notOk(window.lossy);
});

test("one burst is no lossy line, nor is a probe that came late, nor one that may have been too large", (t) => {
  const window = new LossWindow();
  feed(window, 0, outcomes("..........xxxxxx........"));
  t.notOk(window.lossy, "half a second of a full queue");
  const late = new LossWindow();
  const now = feed(late, 0, outcomes("x...x...x...x..."));
  t.ok(late.lossy);
  for (const counter of [0, 400, 800, 1200]) t.equal(late.answered(counter), counter);
  t.equal(late.share, 0);
  t.equal(late.answered(0), undefined, "once only");
  feed(late, now, outcomes("...."));
  t.notOk(late.lossy);
  const large = new LossWindow();
  for (let at = 0; at < 3_000; at += 100) large.sent(at, at, "excused");
  large.judge(9_000);
  t.notOk(large.lossy);
});

test("of probes that are sent in one moment one tells the line's loss", (t) => {
  const window = new LossWindow();
  let counter = 0;
  for (let at = 0; at < 4_000; at += 100) {
    const lost = at % 400 === 0;
    for (let extra = 0; extra < 3; extra += 1) {
      counter += 1;
      window.sent(counter, at, extra === 0 ? "counted" : "extra");
      // What is asked again in that moment is answered, or all of it is lost.
      if (!lost) t.equal(window.answered(counter), at);
    }
    window.judge(at + 50);
  }
  t.equal(window.share, 0.25);
  t.ok(window.lossy);
});

test("what an outage swallows is no loss of the line", (t) => {
  const window = new LossWindow();
  for (let at = 0; at < 3_000; at += 100) window.sent(at, at, at < 300 ? "counted" : "excused");
  window.excuse();
  window.judge(9_000);
  t.equal(window.share, 0);
  t.notOk(window.lossy);
});

test("a line that lost much before an outage has not become better by it", (t) => {
  const window = new LossWindow();
  const now = feed(window, 0, outcomes("x...x...x...x..."));
  t.ok(window.lossy);
  window.excuse();
  feed(window, now, outcomes("........"));
  t.ok(window.lossy);
  feed(window, now + 10_000, outcomes("...................."));
  t.notOk(window.lossy);
});

test("a share is one, whatever is sent, lost and answered", (t) => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 100 }), (all) => {
      const window = new LossWindow();
      feed(window, 0, all);
      return window.share >= 0 && window.share <= 1;
    }),
  );
  t.pass();
});

test("a line that answers a second later than usual is slow, and well again when it does not", (t) => {
  const delay = new UsualDelay();
  let now = 0;
  const add = (sample: number, times: number, loaded = false): void => {
    for (let i = 0; i < times; i += 1) delay.add((now += 100), sample, loaded);
  };
  add(20, 5);
  add(1_020, 2);
  t.notOk(delay.slow, "twice may be chance");
  add(1_020, 1);
  t.ok(delay.slow);
  t.equal(delay.present - delay.usual, 1_000);
  for (let hours = 0; hours < 100; hours += 1) delay.add((now += 36_000), 1_020, false);
  t.ok(delay.slow, "an hour of it does not make it usual");
  add(25, 1);
  t.notOk(delay.slow);
});

test("the delay of a full queue is no fault of the line", (t) => {
  const delay = new UsualDelay();
  let now = 0;
  for (let i = 0; i < 100; i += 1) delay.add((now += 100), i < 3 ? 20 : 1_200, i >= 3);
  t.notOk(delay.slow);
  const satellite = new UsualDelay();
  for (let i = 0; i < 100; i += 1) satellite.add(i * 100, 620 + (i % 7) * 20, false);
  t.notOk(satellite.slow);
});
