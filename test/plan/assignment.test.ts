import fc from "fast-check";
import { assignNumbers } from "../../src/plan/assignment.ts";
import { test } from "../harness/index.ts";

/** The text to keep, or who gets no number. */
function assign(kept: string, gateways: string): string {
  const result = assignNumbers(
    kept,
    gateways.split(" ").filter((name) => name !== ""),
  );
  return result.ok ? result.text : `without ${result.without.join(" ")}`;
}

test("new gateways get the lowest free numbers in their order", (t) => {
  t.equal(assign("", "b a c"), "b 1\na 2\nc 3\n");
  t.equal(assign("", ""), "");
});

test("numbers stay, whatever comes before or goes", (t) => {
  t.equal(assign("b 1\na 2\nc 3\n", "x c b"), "b 1\nx 2\nc 3\n");
  t.equal(assign("b 15\n", "a b"), "a 1\nb 15\n");
});

test("a sixteenth gateway gets none", (t) => {
  const names = Array.from({ length: 17 }, (_, i) => `g${i}`).join(" ");
  t.equal(assign("", names), "without g15 g16");
  t.equal(assign("old 3\n", names.replace(" g15 g16", "")).split("\n").length, 16, "one that is gone takes no place");
});

test("a spoilt text costs numbers and nothing else", (t) => {
  t.equal(assign("a 2\na 3\nb 2\nc\nd 0\ne 16\nf 1x\n g 4\n__proto__ 5\n\0\n", "a b c d e f g"), "b 1\na 2\nc 3\nd 4\ne 5\nf 6\ng 7\n");
  t.equal(assign("__proto__ 5\n", "constructor __proto__"), "constructor 1\n__proto__ 5\n");
});

const SEED = Math.floor(Math.random() * 2 ** 32);
test(`every gateway has its own number and keeps it from one reload to the next (seed ${SEED})`, (t) => {
  const gateways = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,2}$/), { maxLength: 15 });
  fc.assert(
    fc.property(fc.array(gateways, { maxLength: 6 }), (reloads) => {
      let text = "";
      let before: ReadonlyMap<string, number> = new Map();
      return reloads.every((names) => {
        const result = assignNumbers(text, names);
        if (!result.ok) return false;
        const { numbers } = result;
        const kept = names.every((name) => before.get(name) === undefined || before.get(name) === numbers.get(name));
        const own = new Set(numbers.values()).size === names.length && [...numbers.values()].every((number) => number >= 1 && number <= 15);
        text = result.text;
        before = numbers;
        return kept && own && assignNumbers(text, [...names].reverse()).ok;
      });
    }),
    { seed: SEED, numRuns: 300 },
  );
  t.pass();
});
