import fc from "fast-check";
import { quotaState, quotaWarning } from "../../src/home/quota.ts";
import { addUsage, formatUsage, mergeUsage, monthOf, noUsage, onTheLine, parseUsage } from "../../src/home/usage.ts";
import { test } from "../harness/index.ts";

const NOVEMBER = Date.UTC(2026, 10, 30, 23, 59, 59);
const DECEMBER = NOVEMBER + 1_000;
const used = (usage: { bytes: ReadonlyMap<string, number> }, name: string): number => usage.bytes.get(name) ?? 0;

test("usage adds up, and a new month begins from zero", (t) => {
  let usage = addUsage(noUsage, NOVEMBER, new Map([["farm", 5e9]]));
  usage = addUsage(
    usage,
    NOVEMBER,
    new Map([
      ["farm", 1e9],
      ["stick", 7],
    ]),
  );
  t.same([usage.month, used(usage, "farm"), used(usage, "stick")], ["2026-11", 6e9, 7]);
  usage = addUsage(usage, DECEMBER, new Map([["farm", 3]]));
  t.same([usage.month, used(usage, "farm"), used(usage, "stick")], ["2026-12", 3, 0]);
});

test("a clock that went back gives nobody his quota anew", (t) => {
  const usage = addUsage(noUsage, NOVEMBER, new Map([["farm", 5]]));
  const back = addUsage(usage, Date.UTC(2001, 0, 1), new Map([["farm", 1]]));
  t.same([back.month, used(back, "farm")], ["2026-11", 6]);
  t.equal(monthOf(0), "1970-01");
});

test("what is written is read again, and of two records the larger counts", (t) => {
  const usage = addUsage(
    noUsage,
    NOVEMBER,
    new Map([
      ["farm", 5e9],
      ["stick", 7],
    ]),
  );
  t.equal(formatUsage(usage), "2026-11\n5000000000 farm\n7 stick\n");
  t.same(parseUsage(formatUsage(usage)), usage);
  const other = addUsage(
    noUsage,
    NOVEMBER,
    new Map([
      ["farm", 6e9],
      ["school", 1],
    ]),
  );
  const merged = mergeUsage(usage, other);
  t.same([used(merged, "farm"), used(merged, "stick"), used(merged, "school")], [6e9, 7, 1]);
  t.equal(mergeUsage(usage, addUsage(noUsage, DECEMBER, new Map())).month, "2026-12");
  for (const text of ["", "x", "2026-11\nnonsense\n-3 farm\n99999999999999999999 farm\n"]) t.equal(parseUsage(text).bytes.size, 0, text);
  fc.assert(fc.property(fc.string(), (text) => parseUsage(text).bytes.size >= 0));
});

test("a donor is warned before the limit, and obeyed at it", (t) => {
  t.same([quotaState(1e12, undefined), quotaState(89, 100), quotaState(90, 100), quotaState(100, 100)], ["free", "free", "near", "spent"]);
  t.equal(quotaWarning("farm", 10e9, 300e9), undefined);
  t.match(quotaWarning("farm", 280e9, 300e9), /'farm' has carried 280 of its 300 GB/);
  t.match(quotaWarning("farm", 300e9, 300e9), /stands by until the next/);
  t.equal(onTheLine(1_400_000, 1_000), 1_452_000);
});
