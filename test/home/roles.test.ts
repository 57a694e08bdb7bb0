import fc from "fast-check";
import { fallSteps } from "../../src/home/fall-steps.ts";
import { type Candidate, carriers } from "../../src/home/roles.ts";
import { test } from "../harness/index.ts";

const candidate = (number: number, more: Partial<Candidate> = {}): Candidate => ({
  number,
  priority: 1,
  weight: 1,
  well: true,
  spent: false,
  ...more,
});
const chosen = (...candidates: readonly Candidate[]): readonly number[] => [...carriers(candidates)].sort((a, b) => a - b);

test("gateways of priority 2 stand by until none of priority 1 is well", (t) => {
  const two = candidate(3, { priority: 2 });
  t.same(chosen(candidate(1), candidate(2), two), [1, 2]);
  t.same(chosen(candidate(1, { well: false }), candidate(2), two), [1, 2], "one that is away is taken as soon as it is back");
  t.same(chosen(candidate(1, { well: false }), candidate(2, { well: false }), two), [1, 2, 3]);
  t.same(chosen(candidate(1, { well: false }), candidate(2, { well: false }), { ...two, well: false }), [1, 2], "at the start");
  t.same(chosen(), []);
});

test("of more than eight the heaviest eight carry, and the others are promoted in order", (t) => {
  const ten = Array.from({ length: 10 }, (_, index) => candidate(index + 1, { weight: index === 9 ? 5 : 1 }));
  t.same(chosen(...ten), [1, 2, 3, 4, 5, 6, 7, 10]);
  const without = (...gone: readonly number[]): readonly Candidate[] => ten.map((one) => ({ ...one, well: !gone.includes(one.number) }));
  t.same(chosen(...without(2)), [1, 3, 4, 5, 6, 7, 8, 10]);
  t.same(chosen(...without(2, 3)), [1, 4, 5, 6, 7, 8, 9, 10]);
});

test("a gateway that has used up its quota carries only if no other does", (t) => {
  t.same(chosen(candidate(1, { spent: true }), candidate(2)), [2]);
  t.same(chosen(candidate(1, { spent: true }), candidate(2, { priority: 2 })), [2], "not before those that stand by");
  t.same(chosen(candidate(1, { spent: true }), candidate(2, { well: false })), [1, 2]);
});

test("never more than eight, and never none while one is well", (t) => {
  const any = fc.uniqueArray(
    fc.record<Candidate>({
      number: fc.integer({ min: 1, max: 15 }),
      priority: fc.integer({ min: 1, max: 3 }),
      weight: fc.integer({ min: 1, max: 256 }),
      well: fc.boolean(),
      spent: fc.boolean(),
    }),
    { selector: ({ number }) => number, maxLength: 15 },
  );
  fc.assert(
    fc.property(any, (candidates) => {
      const numbers = carriers(candidates);
      const useful = candidates.some(({ well }) => well) ? candidates.some(({ number, well }) => well && numbers.has(number)) : true;
      return numbers.size <= 8 && useful;
    }),
  );
  t.pass();
});

test("of lanes that fell together the one that carried most goes last, by itself", (t) => {
  const lane = (number: number, carried: number) => ({ number, carried });
  const steps = (...fallen: readonly { number: number; carried: number }[]) =>
    fallSteps(fallen).map((step) => step.map(({ number }) => number));
  t.same(steps(lane(1, 20e6), lane(2, 40e6), lane(3, 5e6)), [[3, 1], [2]]);
  t.same(steps(lane(1, 0), lane(2, 0)), [[1], [2]]);
  t.same(steps(lane(7, 1e6)), [[7]]);
  t.same(steps(), []);
});
