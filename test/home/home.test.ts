import fc from "fast-check";
import { adoptedLanes } from "../../src/home/adopt.ts";
import { parseCounters, RateMeter } from "../../src/home/counters.ts";
import { LaneTraffic } from "../../src/home/lane-traffic.ts";
import { beginSearch, fullSize, LEAST_MTU, stepSearch } from "../../src/home/mtu.ts";
import { type Far, farLanes, farOf, nearestOf } from "../../src/home/nearest.ts";
import { liveLanes, type LaneSnapshot } from "../../src/home/plan.ts";
import { steadyDelay } from "../../src/home/steady-delay.ts";
import { firstSubflowWeights } from "../../src/home/weights.ts";
import { test } from "../harness/index.ts";

test("the largest packet that passes is found, whatever it is, and never below 576 bytes", (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 576, max: 1500 }), fc.integer({ min: 576, max: 1500 }), (passes, most) => {
      let search = beginSearch(most);
      for (let probes = 0; !search.proven && probes < 100; probes += 1) {
        search = stepSearch(search, "sent");
        if (search.mtu <= passes) search = stepSearch(search, "answered");
      }
      return (
        search.proven &&
        search.mtu <= Math.max(passes, LEAST_MTU) &&
        (search.mtu === most || search.mtu > passes - 60 || search.mtu === LEAST_MTU)
      );
    }),
  );
  t.equal(fullSize(1400), 1372, "an IPv4 packet with a UDP header fills the MTU");
});

test("a lost probe or two do not lower the MTU", (t) => {
  let search = stepSearch(stepSearch(beginSearch(1400), "sent"), "answered");
  for (let lost = 0; lost < 3; lost += 1) search = stepSearch(search, "sent");
  t.same([search.mtu, search.proven], [1400, true]);
  search = stepSearch(search, "answered");
  t.equal(search.tries, 0);
});

const lane = (number: number, delay: number | undefined, live = true): LaneSnapshot => ({
  number,
  live,
  late: false,
  poor: false,
  mtu: 1400,
  window: 0,
  delay,
  usual: delay,
  most: 0,
});

test("connections start on the quickest lanes, and now and then on every other live one", (t) => {
  const weights = firstSubflowWeights([lane(1, 40), lane(2, 42), lane(3, 120), lane(4, undefined), lane(5, 1, false)]);
  t.same([...weights].sort(), [
    [1, 256],
    [2, 256],
    [3, 1],
    [4, 256],
  ]);
  t.equal(firstSubflowWeights([]).size, 0);
  t.same(
    liveLanes([lane(3, 9), lane(1, undefined), lane(2, 5)]).map(({ number }) => number),
    [2, 3, 1],
  );
});

test("what far lanes bring is acknowledged by the nearest, unless that is thin, or busy", (t) => {
  const four = [lane(1, 21), lane(2, 61), lane(3, 121), lane(4, 11)];
  t.same(farLanes(four), [2, 3]);
  t.same(farLanes(four.slice(0, 3)), [2, 3], "by the nearest that is left");
  t.same(farLanes([lane(2, 61), lane(3, 121)]), [], "no lane is far from itself, or from one half as far");
  t.same(farLanes([lane(1, 21), lane(2, 61), lane(3, 300), lane(4, 11, false)]), [2, 3]);
  t.same(farLanes([lane(1, 2), lane(2, 12)]), [], "ten milliseconds are not far");
  t.same(farLanes([]), []);
  t.same(farLanes([lane(1, undefined), lane(2, 61)]), [], "nobody knows yet");
  const bringing = (...rates: readonly number[]): readonly LaneSnapshot[] =>
    four.map((one, index) => ({ ...one, most: rates[index] ?? 0 }));
  t.same(farLanes(bringing(19e6, 9e6, 5e6, 38e6)), [2, 3]);
  t.same(farLanes(bringing(19e6, 9e6, 5e6, 8e6)), [], "the line of the nearest may be thin in the other direction");
  const queued = four.map((one) => (one.number === 4 ? { ...one, delay: 20.5 } : one));
  t.same(farLanes(queued), [2, 3], "a queue of its own downloads");
  const choked = [lane(2, 61), lane(3, 121), { ...lane(4, 11), delay: 60 }];
  t.same(farLanes(choked), [3]);
});

test("far lanes are others only once they were so for two seconds", (t) => {
  const four = [lane(1, 21), lane(2, 61), lane(3, 121), lane(4, 11)];
  const busy = four.map((one) => (one.number === 1 || one.number === 4 ? { ...one, delay: 60 } : one));
  const seen = (far: Far, at: number, lanes: readonly LaneSnapshot[]): Far => farOf(far, at, true, lanes);
  const none = { numbers: [], since: undefined };
  const seenFirst = seen(none, 1_000, four);
  t.same(seenFirst, { numbers: [], since: 1_000 });
  const far = seen(seen(seenFirst, 2_000, four), 3_000, four);
  t.same(far, { numbers: [2, 3], since: undefined });
  t.equal(seen(far, 4_000, four), far);
  const doubted = seen(far, 5_000, busy);
  t.same(doubted.numbers, [2, 3]);
  t.same(seen(seen(doubted, 6_000, four), 7_000, busy).numbers, [2, 3], "in between they were the same");
  t.same(seen(doubted, 7_000, busy).numbers, [3]);
  t.same(farOf(doubted, 64_999, false, busy).numbers, [2, 3], "idle: a delay is one probe's");
  t.same(farOf(doubted, 65_000, false, busy).numbers, [3]);
  t.same(farOf(seenFirst, 3_000, false, four).numbers, [2, 3], "none is known yet");
});

test("the nearest lane is the quickest that answers, and does not change for every moment", (t) => {
  const never = { number: undefined, at: Number.NEGATIVE_INFINITY };
  const lanes = [lane(1, 21), lane(2, 61), lane(4, 11)];
  const late = (...numbers: readonly number[]): readonly LaneSnapshot[] =>
    lanes.map((one) => (numbers.includes(one.number) ? { ...one, late: true } : one));
  const four = nearestOf(never, 5_000, lanes);
  t.same(four, { number: 4, at: 5_000 });
  t.equal(nearestOf(four, 9_000, lanes), four);
  const one = nearestOf(four, 9_000, late(4));
  t.same(one, { number: 1, at: 9_000 });
  t.equal(nearestOf(one, 9_900, lanes), one, "it was late a moment ago");
  t.equal(nearestOf(one, 10_000, lanes).number, 4);
  t.equal(nearestOf(one, 9_010, late(1, 4)).number, 2, "at once where it does not answer");
  t.equal(nearestOf(one, 9_010, late(1, 2, 4)).number, 4, "all are late: the quickest");
  t.equal(
    nearestOf(
      one,
      9_010,
      lanes.filter(({ number }) => number !== 1),
    ).number,
    4,
  );
  t.equal(nearestOf(one, 9_010, []).number, undefined);
});

test("lanes of like delay do not change places", (t) => {
  let held: number | undefined;
  for (const measured of [40, 44, 37, 41, 45]) held = steadyDelay(held, measured);
  t.equal(held, 40);
  t.equal(steadyDelay(40, 60), 60);
  t.equal(steadyDelay(40, 20), 20);
  t.equal(steadyDelay(40, undefined), undefined);
});

test("the next daemon adopts the lanes that have an endpoint and a device", (t) => {
  const plan = {
    gateways: [{ number: 1 }, { number: 2 }, { number: 3 }],
    membership: { number: 2, lanePrefix: { base: 0xc6130000, length: 16 } },
  } as unknown as Parameters<typeof adoptedLanes>[0];
  const endpoint = (address: string): { address: string; device: string; backup: boolean } => ({ address, device: "x", backup: false });
  const device = (name: string, mtu: number): { name: string; mtu: number; txQueueLength: number } => ({ name, mtu, txQueueLength: 500 });
  const actual = {
    endpoints: [endpoint("198.19.16.2"), endpoint("198.19.48.2")],
    devices: [device("binder-1", 1280), device("binder-2", 1400)],
  };
  t.same([...adoptedLanes(plan, actual)], [[1, 1280]]);
  t.equal(adoptedLanes({ ...plan, membership: undefined }, actual).size, 0);
});

test("rates come from the counters, and begin again with a new device", (t) => {
  const text = "Inter-|\n face |\n  lo: 1 0 0 0 0 0 0 0 2 0 0 0 0 0 0 0\nbinder-1: 1000 9 0 0 0 0 0 0 500 6 0 0 0 0 0 0\n";
  t.same(parseCounters(text).get("binder-1"), { received: 1000, sent: 500, packets: 15 });
  const meter = new RateMeter();
  meter.add(0, { received: 0, sent: 0 });
  t.same(meter.rates, { down: 0, up: 0 });
  meter.add(1_000, { received: 1_000, sent: 500 });
  t.same(meter.rates, { down: 8_000, up: 4_000 });
  meter.add(2_000, { received: 10, sent: 10 });
  t.same(meter.rates, { down: 0, up: 0 });
});

test("a lane is loaded by what goes out, for five seconds; what comes in is told", (t) => {
  const traffic = new LaneTraffic();
  t.notOk(traffic.count(1_000, 500, 9_000, 0), "the first counters are no traffic");
  t.notOk(traffic.isBusy(1_000));
  t.ok(traffic.count(2_000, 501, 11_000, 0), "a byte came in");
  t.notOk(traffic.isBusy(2_000), "2 kB in a second are probes");
  t.notOk(traffic.count(3_000, 501, 13_001, 0), "nothing came in");
  t.ok(traffic.isBusy(7_999));
  t.notOk(traffic.isBusy(8_000));
  t.notOk(traffic.count(9_000, 0, 0, 0), "a device that was made anew");
  t.notOk(traffic.isBusy(9_000));
  t.notOk(traffic.asked);
  traffic.count(9_100, 0, 64, 64);
  t.notOk(traffic.asked, "a probe of our own");
  traffic.count(9_200, 0, 144, 64);
  t.ok(traffic.asked, "somebody sent, and nothing came");
  t.ok(traffic.count(9_300, 80, 144, 64));
  t.notOk(traffic.asked, "it was answered");
});
