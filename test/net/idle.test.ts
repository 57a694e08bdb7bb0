import { test } from "../harness/index.ts";
import { lanesUsed } from "./capture.ts";
import { Household, until } from "./household.ts";

const gateways = [
  { rate: 20e6, delay: 20 },
  { rate: 10e6, delay: 30 },
  { rate: 30e6, delay: 5 },
] as const;
const DAY = 86_400;
/** Of the gateways' own counters, in seconds: some idle probes, whatever their phase. */
const WATCHED = 38;
/** A test machine's own pauses (ms). */
const SLACK = 500;

test("a household that is idle", { timeout: 300_000 }, async (t) => {
  const house = await Household.create({ gateways });
  t.teardown(async () => {
    await house.close();
  });
  await lanesUsed(house, 3);
  const stateOf = async (number: number): Promise<string> =>
    (await house.status()).gateways.find((gateway) => gateway.number === number)?.state ?? "";
  /** The last traffic is long enough ago: lanes are probed seldom. */
  const calm = async (): Promise<void> => {
    await until("the lanes are quiet", 60_000, async () => {
      const before = await house.node("gw3").counters("up0");
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      const after = await house.node("gw3").counters("up0");
      return after.txPackets - before.txPackets <= 1 ? true : undefined;
    });
  };

  await t.test("costs each gateway no more than five megabytes a day, both ways together", async (t) => {
    await calm();
    const counters = async (): Promise<readonly number[]> =>
      await Promise.all(
        gateways.map(async (_, index) => {
          const { rxBytes, txBytes } = await house.node(`gw${String(index + 1)}`).counters("up0");
          return rxBytes + txBytes;
        }),
      );
    const before = await counters();
    await new Promise((resolve) => setTimeout(resolve, WATCHED * 1000));
    (await counters()).forEach((bytes, index) => {
      const daily = ((bytes - (before[index] ?? 0)) / WATCHED) * DAY;
      t.comment(`gateway ${String(index + 1)}: ${(daily / 1e6).toFixed(2)} MB a day`);
      t.ok(daily > 0 && daily <= 5e6, `${(daily / 1e6).toFixed(2)} MB a day`);
    });
  });

  await t.test("knows within fifteen seconds that a gateway died", async (t) => {
    await calm();
    await house.testbed.link(2).cut();
    const from = performance.now();
    await until("it is known", 20_000, async () => ((await stateOf(2)) === "up" ? undefined : true));
    const took = performance.now() - from;
    t.comment(`${took.toFixed(0)} ms`);
    t.ok(took < 15_000 + SLACK, `after ${took.toFixed(0)} ms`);
    await house.testbed.link(2).mend();
    await lanesUsed(house, 3, 20_000);
  });

  await t.test("a flow that begins when the fastest has just died has its first byte within a second", async (t) => {
    for (let trial = 1; trial <= 4; trial += 1) {
      await calm();
      await house.testbed.link(3).cut();
      const { content, end, first_byte_ms: first } = await house.get(["--bytes", "1000"]);
      t.equal(`${content} ${end}`, "good complete");
      t.comment(`${first.toFixed(0)} ms`);
      t.ok(first < 1_000 + SLACK, `${first.toFixed(0)} ms`);
      await house.testbed.link(3).mend();
      await lanesUsed(house, 3, 20_000);
    }
  });
});
