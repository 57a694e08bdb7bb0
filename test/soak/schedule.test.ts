import fc from "fast-check";
import { test } from "../harness/index.ts";
import { scheduleFaults } from "./schedule.ts";

test("a schedule of faults", async (t) => {
  await t.test("is the same for the same seed, and another for another", async (t) => {
    t.same(scheduleFaults(7, 60, 4), scheduleFaults(7, 60, 4));
    t.notSame(scheduleFaults(7, 60, 4), scheduleFaults(8, 60, 4));
    await Promise.resolve();
  });
  await t.test("leaves one gateway well at every moment, and all at the end", async (t) => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 30, max: 1_200 }), fc.integer({ min: 2, max: 6 }), (seed, seconds, gateways) => {
        const faults = scheduleFaults(seed, seconds, gateways).filter(({ gateway }) => gateway > 0);
        for (const { at } of faults) {
          const ill = new Set(faults.filter((fault) => fault.at <= at && at < fault.at + fault.lasts).map(({ gateway }) => gateway));
          if (ill.size >= gateways) return false;
        }
        return faults.every(({ at, lasts }) => lasts > 0 && at + lasts <= seconds - 9);
      }),
    );
    t.pass();
    await Promise.resolve();
  });
  await t.test("has faults of many kinds", async (t) => {
    t.ok(new Set(scheduleFaults(1, 600, 4).map(({ kind }) => kind)).size >= 10);
    await Promise.resolve();
  });
});
