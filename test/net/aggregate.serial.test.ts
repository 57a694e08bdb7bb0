import { test } from "../harness/index.ts";
import { Household, until } from "./household.ts";

const MEGA = 1e6;
/** Rates of the gateways, bit/s; delays one way, ms. */
const gateways = [
  { rate: 20 * MEGA, delay: 10 },
  { rate: 10 * MEGA, delay: 30 },
  { rate: 5 * MEGA, delay: 60 },
  { rate: 40 * MEGA, delay: 5 },
];
const SECONDS = 10;
const SUM = 75 * MEGA;
const BEST = 40 * MEGA;

async function bytesByGateway(house: Household, direction: "down" | "up"): Promise<readonly number[]> {
  return await Promise.all(
    gateways.map(async (_, index) => {
      const counters = await house.node(`gw${String(index + 1)}`).counters("up0");
      return direction === "down" ? counters.rxBytes : counters.txBytes;
    }),
  );
}

/** The least round trips that the relay's subflows have seen, ms, by lane. */
async function leastRoundTrips(house: Household): Promise<ReadonlyMap<number, number>> {
  const listed = await house.node("relay").must("ss", ["-tniH", "state", "established", "sport", "=", ":2130"]);
  const found = [...listed.matchAll(/:2130\s+198\.19\.([0-9]+)\.[0-9]+:[0-9]+\s*\n[^\n]* minrtt:([0-9.]+)/g)];
  return new Map(found.map(([, block, ms]) => [Number(block) / 16, Number(ms)]));
}

test("one flow goes over four gateways, each with its share", { timeout: 120_000 }, async (t) => {
  const house = await Household.create({ gateways });
  t.teardown(async () => {
    await house.close();
  });
  await house.lanesUp(4);
  for (const direction of ["down", "up"] as const) {
    const before = await bytesByGateway(house, direction);
    const args = ["--seconds", String(SECONDS)];
    const flow = direction === "down" ? await house.get(args) : await house.put(args);
    const after = await bytesByGateway(house, direction);
    t.comment(`${direction} ${(flow.bps / MEGA).toFixed(1)} Mbit/s of ${SUM / MEGA}`);
    t.equal(flow.content, "good", `${direction}: every byte is right`);
    t.match(flow.peer, /^45\.0\.100\.2:/, `${direction}: the server sees the relay's address`);
    // The judge of the rate is the bench; here two gateways, or the best alone, must not be able to pass.
    t.ok(flow.bps > BEST * 1.2, `${direction}: ${(flow.bps / MEGA).toFixed(1)} Mbit/s is more than the best gateway has`);
    gateways.forEach(({ rate }, index) => {
      const carried = (((after[index] ?? 0) - (before[index] ?? 0)) * 8) / SECONDS;
      t.ok(
        carried > rate * 0.4,
        `${direction}: gateway ${String(index + 1)} carried ${(carried / MEGA).toFixed(1)} of ${String(rate / MEGA)} Mbit/s`,
      );
    });
  }

  await t.test("what far gateways bring is acknowledged by the nearest", async (t) => {
    const download = house.get(["--seconds", "8"]);
    const nearest = Math.min(...gateways.map(({ delay }) => delay));
    // Half a way more for queues, and for the machine.
    const isNear = (trips: ReadonlyMap<number, number>): boolean =>
      gateways.every(({ delay }, index) => delay <= 20 || (trips.get(index + 1) ?? Number.POSITIVE_INFINITY) < 1.5 * delay + nearest);
    // The upload before may have left the gateways' queues full, and with them nothing is far.
    const least = await until("far gateways have shorter round trips", 7_000, async () => {
      const trips = await leastRoundTrips(house);
      return isNear(trips) ? trips : undefined;
    });
    t.comment([...least].map(([number, ms]) => `gateway ${String(number)}: ${String(ms)} ms`).join(", "));
    t.equal(least.size, gateways.length);
    t.equal((await download).content, "good");
  });
});
