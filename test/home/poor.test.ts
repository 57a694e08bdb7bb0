import { poorReason } from "../../src/home/poor.ts";
import { LossWindow } from "../../src/link/loss-window.ts";
import { UsualDelay } from "../../src/link/usual-delay.ts";
import { test } from "../harness/index.ts";

test("a lane that comes back a second slower is not trusted on its first echo, and one that queues is not blamed", (t) => {
  const losses = new LossWindow();
  const usual = new UsualDelay();
  let now = 0;
  for (let i = 0; i < 5; i += 1) usual.add((now += 100), 20, false);
  t.equal(poorReason("holding", losses, usual), "");
  for (let i = 0; i < 5; i += 1) usual.add((now += 100), 1_020, true);
  t.equal(poorReason("up", losses, usual), "", "its own queue may be the cause");
  t.equal(poorReason("suspect", losses, usual), "");
  t.equal(poorReason("holding", losses, usual), "it answers 1000 ms later than usual", "from the first sample on");
  usual.add((now += 100), 1_120, false);
  t.equal(poorReason("holding", losses, usual), "it answers 1100 ms later than usual");
  usual.add((now += 100), 30, false);
  t.equal(poorReason("holding", losses, usual), "", "one packet that was late is no more than that");
  for (let i = 0; i < 3; i += 1) usual.add((now += 100), 1_020, false);
  t.equal(poorReason("up", losses, usual), "it answers 1000 ms later than usual");
});

test("a lane that loses is told so, and nothing of it while it is silent", (t) => {
  const losses = new LossWindow();
  const usual = new UsualDelay();
  for (let now = 0; now < 2_000; now += 100) {
    losses.sent(now, now, "counted");
    if (now % 500 !== 0) losses.answered(now);
    losses.judge(now + 50);
  }
  t.equal(poorReason("up", losses, usual), "it loses 20 % of packets");
  t.equal(poorReason("down", losses, usual), "");
});
