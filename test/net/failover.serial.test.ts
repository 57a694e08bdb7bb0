import { type Test, test } from "../harness/index.ts";
import { gateways, inState } from "./failing.ts";
import { Household, until } from "./household.ts";
import { backAfter, longestStall, rateBetween, Timeline } from "./timeline.ts";

/** Stalls may be this much longer (ms) here than where nothing else runs; `make bench` has the figures. */
const SLACK = 700;

test("a household whose gateways fail", { timeout: 400_000 }, async (t) => {
  const house = await Household.create({ gateways });
  t.teardown(async () => {
    await house.close();
  });
  await house.lanesUp(3);
  const gw = (number: number) => house.testbed.link(number);

  /**
   * A download: after three seconds the fault, after six the repair. It goes on until it has the rate back that it had, or all lanes are up
   * again, but ten seconds at most. Answers what became of it.
   */
  const through = async (fault: () => Promise<void>, repair: () => Promise<void>, rateBack = false) => {
    const timeline = await Timeline.start(house, "get", 10);
    const from = await timeline.passed(3_000);
    await fault();
    const mended = await timeline.passed(from + 3_000);
    await repair();
    const full = rateBetween(timeline.points, 1_500, from - 100);
    const back = (): number => backAfter(timeline.points, mended, full * 0.9);
    if (rateBack)
      await until("the rate is back", 10_000, async () => Promise.resolve(timeline.ended || back() < Infinity ? true : undefined));
    else await house.lanesUp(3, 20_000);
    const { content, end } = await timeline.enough();
    const { points } = timeline;
    return {
      outcome: `${content} ${end}`,
      stall: longestStall(points, from - 20, mended),
      share: rateBetween(points, from + 1_000, mended) / full,
      back: back(),
    };
  };

  /** It went on to its end, with no longer stall than promised (ms). */
  const survives = (t: Test, seen: { readonly outcome: string; readonly stall: number }, promised: number, what = ""): void => {
    t.comment(`${what} ${JSON.stringify(seen)}`);
    t.equal(seen.outcome, "good time", what);
    t.ok(seen.stall < promised + SLACK, `${what} ${String(seen.stall)} ms without a byte`);
  };

  await t.test("the fastest drops everything: the download goes on by the others, and uses it again when it is back", async (t) => {
    const seen = await through(
      async () => await gw(3).cut(),
      async () => await gw(3).mend(),
      true,
    );
    survives(t, seen, 300);
    t.ok(seen.share > 0.3 && seen.share < 0.75, `${String(seen.share)} of the rate by the others`);
    t.ok(seen.back < 1_000 + 2 * SLACK, `back after ${String(seen.back)} ms`);
  });

  await t.test("only one way is dead, either one", async (t) => {
    for (const way of ["up", "down"] as const) {
      const seen = await through(
        async () => await gw(3).set({ [way]: { block: true } }),
        async () => await gw(3).set({ [way]: { block: false } }),
      );
      survives(t, seen, 1_500, way);
      await house.lanesUp(3, 20_000);
    }
  });

  await t.test("all but the slowest are gone", async (t) => {
    const seen = await through(
      async () => {
        await Promise.all([gw(1).cut(), gw(3).cut()]);
      },
      async () => {
        await Promise.all([gw(1).mend(), gw(3).mend()]);
      },
    );
    survives(t, seen, 500);
    await house.lanesUp(3, 20_000);
  });

  await t.test("an interface goes down", async (t) => {
    const home = house.node("home");
    const seen = await through(
      async () => await home.ip(["link set wan1 down"]),
      async () => {
        t.match((await inState(house, 1, /./)).reason, /its interface wan1 is down/, "it was told, not guessed from a silence");
        await home.ip(["link set wan1 up"]);
      },
    );
    survives(t, seen, 100);
    await house.lanesUp(3, 20_000);
  });

  await t.test("one that answers pings has no Internet", async (t) => {
    const router = house.node("gw3");
    const seen = await through(
      async () =>
        await router
          .must("nft", ["-f", "-"], { input: "table ip off { chain f { type filter hook forward priority 0; drop; }; }" })
          .then(() => undefined),
      async () => await router.must("nft", ["delete", "table", "ip", "off"]).then(() => undefined),
    );
    survives(t, seen, 300);
    await house.lanesUp(3, 20_000);
  });

  await t.test("one forgets its NAT, and one loses its power besides", async (t) => {
    const router = house.node("gw3");
    const anew = "table ip anew { chain out { type nat hook postrouting priority 90; oifname up0 meta l4proto udp masquerade random; }; }";
    const forget = async (): Promise<void> => {
      await router.must("nft", ["-f", "-"], { input: anew });
      await router.must("conntrack", ["-F"]);
    };
    const forgotten = await through(forget, async () => Promise.resolve());
    survives(t, forgotten, 500);
    const reset = await through(
      async () => {
        await router.ip(["link set up0 down", "link set mesh0 down"]);
        await router.must("conntrack", ["-F"]);
      },
      async () => await router.ip(["link set mesh0 up", "link set up0 up", "route replace default via 45.0.3.1"]),
    );
    survives(t, reset, 500);
    await router.must("nft", ["delete", "table", "ip", "anew"]);
    await house.lanesUp(3, 20_000);
  });

  await t.test("one that begins to lose a third is left out while it does", async (t) => {
    const timeline = await Timeline.start(house, "get", 12);
    const from = await timeline.passed(3_000);
    await gw(3).set({ loss: 0.3 });
    const held = await inState(house, 3, /holding it loses/);
    t.comment(held.reason);
    const mended = await timeline.passed(from + 5_000);
    await gw(3).set({ loss: 0 });
    await inState(house, 3, /^up/, 8_000);
    const { content } = await timeline.result();
    t.equal(content, "good");
    const rest = rateBetween(timeline.points, from + 3_000, mended);
    t.ok(rest > 0.8 * 28e6, `${(rest / 1e6).toFixed(1)} Mbit/s of the others' 30`);
  });

  await t.test("one that flaps does not take the household with it, and is trusted ever later", async (t) => {
    const timeline = await Timeline.start(house, "get", 14);
    const from = await timeline.passed(3_000);
    for (let flap = 1; flap <= 6; flap += 1) {
      await gw(3).cut();
      await timeline.passed(from + flap * 1_500 - 800);
      await gw(3).mend();
      await timeline.passed(from + flap * 1_500);
    }
    const { content, end } = await timeline.result();
    t.equal(`${content} ${end}`, "good time");
    const rate = rateBetween(timeline.points, from, from + 9_000);
    t.ok(rate > 0.7 * 28e6, `${(rate / 1e6).toFixed(1)} Mbit/s of the others' 30`);
    await house.lanesUp(3, 30_000);
  });
});
