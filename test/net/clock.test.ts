import { test } from "../harness/index.ts";
import { BINDER, Household, type Status, until } from "./household.ts";

/** What the home's programs take for the time: libfaketime reads it from here, and again whenever it changes. */
const CLOCK = "/etc/clock";

/** Runs Binder, and all that it starts, by the clock in {@link CLOCK}; the time between two moments is measured by the machine's own. */
function runByClock(house: Household): void {
  const faked = ["LD_PRELOAD=/usr/$LIB/faketime/libfaketimeMT.so.1", `FAKETIME_TIMESTAMP_FILE=${CLOCK}`];
  const settings = ["FAKETIME_CACHE_DURATION=1", "FAKETIME_DONT_FAKE_MONOTONIC=1"];
  house.homeDaemon = house.node("home").start("env", [...faked, ...settings, BINDER, "run"]);
}

async function setClock(house: Household, clock: string): Promise<void> {
  await house.node("home").write(CLOCK, `${clock}\n`);
}

test("a home whose clock is wrong", { timeout: 120_000 }, async (t) => {
  const house = await Household.create({
    gateways: [
      { rate: 20e6, delay: 5 },
      { rate: 10e6, delay: 10 },
    ],
  });
  t.teardown(async () => {
    await house.close();
  });
  const home = house.node("home");
  await house.lanesUp(2);
  const begin = async (clock: string): Promise<void> => {
    await home.must(BINDER, ["stop"], { limit: 20_000 });
    await house.homeDaemon.exit;
    await setClock(house, clock);
    runByClock(house);
  };

  for (const year of ["2001", "2040"]) {
    await t.test(`in ${year}: lanes come up and carry, and go on when the clock is set right`, async (t) => {
      await begin(`@${year}-01-01 00:00:00`);
      const started = performance.now();
      await house.lanesUp(2);
      t.comment(`lanes up after ${(performance.now() - started).toFixed(0)} ms`);
      const running = house.get(["--seconds", "4"]);
      await setClock(house, "+0");
      const flow = await running;
      t.equal(`${flow.content} ${flow.end}`, "good time");
      t.ok(flow.bps > 21e6, `${(flow.bps / 1e6).toFixed(1)} Mbit/s: over both`);
      await house.lanesUp(2, 1_000);
    });
  }

  await t.test("in 1970, before any certificate is valid: status says so, and lanes come up once the clock is right", async (t) => {
    await begin("@1970-01-02 00:00:00");
    const status = await until("status tells", 30_000, async () => {
      const { status: code, stdout } = await home.run(BINDER, ["status", "--json"]);
      if (code !== 0) return undefined;
      const seen = JSON.parse(stdout) as Status;
      return seen.gateways.length === 2 && seen.gateways.every(({ reason }) => reason.includes("not yet valid")) ? seen : undefined;
    });
    for (const { advice } of status.gateways) t.match(advice, /clock/);
    await setClock(house, "+0");
    await house.lanesUp(2, 40_000);
  });
});
