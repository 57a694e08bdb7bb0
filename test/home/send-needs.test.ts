import { RateMeter } from "../../src/home/counters.ts";
import { LaneWindows } from "../../src/home/lane-windows.ts";
import { Peak } from "../../src/home/peak.ts";
import { SendMeter } from "../../src/home/send-meter.ts";
import { needOf, needsOf, type WayLoad } from "../../src/home/send-needs.ts";
import type { SendNeed } from "../../src/plan/tcp-buffers.ts";
import { test } from "../harness/index.ts";

const none = { reserved: 0, alone: 0 };
const way = (rate: number, roundTrip: number): WayLoad => ({ rate, steady: rate, roundTrip });
const near = way(5_000_000, 12);
const slow = way(500_000, 120);
const relayNeed = (down: readonly WayLoad[], up: readonly WayLoad[] = []): SendNeed => needOf(needsOf(down, up).relay);
const homeNeed = (down: readonly WayLoad[], up: readonly WayLoad[] = []): SendNeed => needOf(needsOf(down, up).home);

test("a connection's subflows hold together what all lanes bring during the longest round trip", (t) => {
  t.equal(relayNeed([near, slow]).alone, (1.6 * 5_500_000 * 0.12) / 2);
  t.same(homeNeed([near, slow]), { reserved: 0.075 * 5_500_000, alone: 0.075 * 5_500_000 }, "for the LAN's devices");
});

test("a lane far quicker than the others needs its own round trip", (t) => {
  const own = 1.5 * 5_000_000 * 0.12;
  t.same(relayNeed([{ ...near, roundTrip: 120 }, slow]), { reserved: own, alone: own });
});

test("with a reserve no subflow holds more than the slowest lane is done with soon, or its own lane needs", (t) => {
  t.equal(relayNeed([near, slow]).reserved, 95_000);
  t.equal(relayNeed([near, way(150_000, 120)]).reserved, 1.5 * 5_000_000 * 0.012);
  t.equal(relayNeed([near, { ...slow, rate: 520_000 }]).reserved, 95_000, "a burst of it makes no difference");
});

test("a lane that carries next to nothing is not waited for", (t) => {
  t.same(relayNeed([near, way(1_000, 2_000)]), relayNeed([near]));
});

test("uploads: the home needs it, and the relay for servers that are far; downloads: the home for the LAN's devices", (t) => {
  const upload = [way(5_000_000, 60)];
  t.same(homeNeed([], upload), { reserved: 1.6 * 5_000_000 * 0.06, alone: 1.6 * 5_000_000 * 0.06 });
  t.same(relayNeed([], upload), { reserved: 0.45 * 5_000_000, alone: 0.45 * 5_000_000 });
  t.same(homeNeed(upload), { reserved: 0.075 * 5_000_000, alone: 0.075 * 5_000_000 });
});

test("no lane, or nothing carried: no need", (t) => {
  for (const ways of [[], [way(0, 10)]]) t.same([homeNeed(ways, ways), relayNeed(ways, ways)], [none, none]);
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
    peak.see(relayNeed([way(rate, 120)]).alone);
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
    meter.see([{ rates: lane.latest, steady: lane.rates, roundTrip, downRoundTrip: roundTrip }]);
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

test("the limit falls to what the slowest lane is done with soon once that is known, and bursts of it do not move it", (t) => {
  const meter = new SendMeter();
  const lanes = [
    { down: 40e6, roundTrip: 12, downRoundTrip: 12 },
    { down: 20e6, roundTrip: 21, downRoundTrip: 21 },
    { down: 5e6, roundTrip: 120, downRoundTrip: 66 },
  ];
  const reserved = Array.from({ length: 40 }, (_, second) => {
    meter.see(
      lanes.map(({ down, ...rest }) => {
        const burst = down < 10e6 && second % 5 === 0 ? 1.6 : 1;
        return { rates: { down: down * burst, up: 0 }, steady: { down, up: 0 }, ...rest };
      }),
    );
    return meter.needs.relay.reserved;
  });
  t.ok((reserved[2] ?? 0) > 400_000, "a connection that begins is not held back");
  t.same(new Set(reserved.slice(4)), new Set([reserved[4]]));
  t.equal(reserved[4], 118_750);
});

test("a lane's windows follow what it carries in a round trip, each way by itself", (t) => {
  const windows = new LaneWindows();
  t.same([windows.down, windows.up], [0, 0]);
  for (let look = 0; look < 6; look += 1) windows.see({ rates: { down: 40e6, up: 10e6 }, roundTrip: 120 });
  t.same([windows.down, windows.up], [128, 32]);
  windows.see({ rates: { down: 0, up: 0 }, roundTrip: 120 });
  windows.see({ rates: undefined, roundTrip: 120 });
  windows.see({ rates: { down: 99e9, up: 99e9 }, roundTrip: Number.POSITIVE_INFINITY });
  t.same([windows.down, windows.up], [128, 32]);
});
