import { RateMeter } from "../../src/home/counters.ts";
import { LaneWindows } from "../../src/home/lane-windows.ts";
import { Peak } from "../../src/home/peak.ts";
import { SendMeter } from "../../src/home/send-meter.ts";
import { needsOf } from "../../src/home/send-needs.ts";
import { test } from "../harness/index.ts";

const none = { reserved: 0, alone: 0 };
const near = { down: 5_000_000, up: 0, roundTrip: 12 };
const slow = { down: 500_000, up: 0, roundTrip: 120 };

test("a connection's subflows hold together what all lanes bring during the longest round trip", (t) => {
  const { home, relay } = needsOf([near, slow]);
  t.equal(relay.alone, (1.6 * 5_500_000 * 0.12) / 2);
  t.same(home, { reserved: 0.075 * 5_500_000, alone: 0.075 * 5_500_000 }, "for the LAN's devices");
});

test("a lane far quicker than the others needs its own round trip", (t) => {
  const { relay } = needsOf([{ ...near, roundTrip: 120 }, slow]);
  t.same(relay, { reserved: 1.5 * 5_000_000 * 0.12, alone: 1.5 * 5_000_000 * 0.12 });
});

test("with a reserve no subflow holds more than the slowest lane is done with soon, or its own lane needs", (t) => {
  t.equal(needsOf([near, slow]).relay.reserved, 0.32 * 500_000);
  t.equal(needsOf([near, { ...slow, down: 150_000 }]).relay.reserved, 1.5 * 5_000_000 * 0.012);
});

test("a lane that carries next to nothing is not waited for", (t) => {
  t.same(needsOf([near, { down: 1_000, up: 0, roundTrip: 2_000 }]).relay, needsOf([near]).relay);
});

test("uploads: the home needs it, and the relay for servers that are far", (t) => {
  const { home, relay } = needsOf([{ down: 0, up: 5_000_000, roundTrip: 60 }]);
  t.same(home, { reserved: 1.6 * 5_000_000 * 0.06, alone: 1.6 * 5_000_000 * 0.06 });
  t.same(relay, { reserved: 0.45 * 5_000_000, alone: 0.45 * 5_000_000 });
});

test("no lane, or nothing carried: no need", (t) => {
  t.same(needsOf([]), { home: none, relay: none });
  t.same(needsOf([{ down: 0, up: 0, roundTrip: 10 }]), { home: none, relay: none });
});

test("a peak leaves room while it grows, and is forgotten when it was not reached for long", (t) => {
  const peak = new Peak();
  peak.see(100);
  t.equal(peak.value, 200);
  for (const value of [103, 90, 100]) peak.see(value);
  t.equal(peak.value, 100);
  peak.see(120);
  t.equal(peak.value, 240);
  for (let look = 0; look < 299; look += 1) peak.see(50);
  t.equal(peak.value, 120, "five minutes of load are not over");
  peak.see(60);
  t.equal(peak.value, 60, "the most of these");
  for (let look = 0; look < 300; look += 1) peak.see(45);
  t.equal(peak.value, 60, "a little less is no change");
});

test("a limit that is in the way grows with what it lets through, up to what the line needs", (t) => {
  // 40 Mbit/s, 120 ms: what is on its way is the limit, less what the kernel counts beside it.
  const peak = new Peak();
  let limit = 262_144;
  const limits = Array.from({ length: 12 }, () => {
    const rate = Math.min(5_000_000, limit / 1.2 / 0.12);
    peak.see(needsOf([{ down: rate, up: 0, roundTrip: 120 }]).relay.alone);
    return (limit = Math.max(262_144, peak.value));
  });
  t.ok((limits[2] ?? 0) > 1.2 * 5_000_000 * 0.12, `after three seconds: ${limits.join(" ")}`);
  const last = limits.at(-1) ?? 0;
  t.ok(last > 0.95 * 1.6 * 5_000_000 * 0.12 && last <= 1.6 * 5_000_000 * 0.12, `and no more: ${String(last)}`);
});

test("counters become needs; idle lanes, a device made anew and a lane without an answer tell nothing", (t) => {
  const meter = new SendMeter();
  const lane = new RateMeter();
  const count = (at: number, received: number, roundTrip: number): void => {
    lane.add(at, { received, sent: 0 });
    meter.see([{ rates: lane.latest, roundTrip }]);
  };
  count(0, 0, 100);
  count(1000, 20_000, 100);
  t.same(meter.needs, { home: none, relay: none });
  count(2000, 1_020_000, 100);
  const { relay } = meter.needs;
  t.same(relay, { reserved: 320_000, alone: 320_000 }, "with room to grow");
  count(2500, 1_020_100, 100);
  t.same(meter.needs.relay, relay, "nothing goes by it");
  count(3000, 0, 100);
  count(4000, 9_000_000, Number.POSITIVE_INFINITY);
  count(4000, 99_000_000, 100);
  t.same(meter.needs.relay, relay);
});

test("a lane's windows follow what it carries in a round trip, each way by itself", (t) => {
  const windows = new LaneWindows();
  t.same([windows.down, windows.up], [0, 0]);
  for (let look = 0; look < 6; look += 1) windows.see({ rates: { down: 40e6, up: 10e6 }, roundTrip: 120 });
  t.same([windows.down, windows.up], [64, 16]);
  windows.see({ rates: { down: 0, up: 0 }, roundTrip: 120 });
  windows.see({ rates: undefined, roundTrip: 120 });
  windows.see({ rates: { down: 99e9, up: 99e9 }, roundTrip: Number.POSITIVE_INFINITY });
  t.same([windows.down, windows.up], [64, 16]);
});
