import fc from "fast-check";
import { nextRelay, type RelayObservation } from "../../src/home/relay-choice.ts";
import { test } from "../harness/index.ts";

const NOW = 1_000_000;
const well: RelayObservation = { now: NOW, count: 2, silence: 0, reached: false, firstReached: false, idle: false };
const first = { index: 0, since: NOW - 100_000, vain: 0 };
const second = { index: 1, since: NOW - 100_000, vain: 0 };

test("a relay that does not answer over lines that are well is left for the next", (t) => {
  t.equal(nextRelay(first, well), first);
  t.equal(nextRelay(first, { ...well, silence: 999, reached: true }), first);
  t.same(nextRelay(first, { ...well, silence: 1_000, reached: true }), { index: 1, since: NOW, vain: 0 });
  t.same(nextRelay(second, { ...well, silence: 1_000, reached: true }), { index: 0, since: NOW, vain: 0 }, "and round again");
  t.equal(nextRelay({ ...second, since: NOW - 2_000 }, { ...well, silence: 2_000, reached: true }).index, 1, "it is given time to answer");
  t.equal(nextRelay(first, { ...well, count: 1, silence: 9_000, reached: true }), first, "there is no other");
});

test("a silence of every line is waited for before another relay is tried", (t) => {
  t.equal(nextRelay(first, { ...well, silence: 5_000 }), first);
  t.equal(nextRelay(first, { ...well, silence: 6_000 }).index, 1);
});

test("the first relay is taken again after ten minutes, when it is there and nobody is disturbed", (t) => {
  const long = { index: 1, since: NOW - 600_000, vain: 0 };
  const back = { ...well, firstReached: true, idle: true };
  t.equal(nextRelay(long, back).index, 0);
  t.equal(nextRelay(second, back), second);
  t.equal(nextRelay(long, { ...back, idle: false }), long);
  t.equal(nextRelay(long, { ...back, firstReached: false }), long);
  const tried = nextRelay({ index: 0, since: NOW - 3_000, vain: 0 }, { ...well, silence: 1_000, reached: true });
  t.same(tried, { index: 1, since: NOW, vain: 1 }, "a first relay that does not keep the home");
  t.equal(nextRelay({ ...tried, since: NOW - 600_000 }, back).index, 1, "is waited for longer");
  t.equal(nextRelay({ ...tried, since: NOW - 1_200_000 }, { ...back, now: NOW + 200_000 }).index, 0);
});

test("the choice is always one of the relays", (t) => {
  const seen = fc.record<RelayObservation>({
    now: fc.constant(NOW),
    count: fc.integer({ min: 1, max: 5 }),
    silence: fc.nat(20_000),
    reached: fc.boolean(),
    firstReached: fc.boolean(),
    idle: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.nat(6), fc.nat(NOW), seen, (index, since, observation) => {
      const choice = nextRelay({ index, since, vain: 0 }, observation);
      return choice.index >= 0 && choice.index < observation.count;
    }),
  );
  t.pass();
});
