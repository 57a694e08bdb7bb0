import { test } from "../harness/index.ts";
import { lanesUsed } from "./capture.ts";
import { BINDER, Household, type Status, until } from "./household.ts";

const MEGA = 1e6;

test("gateways that wait until they are needed, and those that must not carry more", { timeout: 240_000 }, async (t) => {
  const gateways = Array.from({ length: 10 }, (_, index) => ({ rate: 8 * MEGA, delay: 5 + index }));
  const house = await Household.create(
    { gateways },
    {
      gatewayOptions: { 10: ["option priority '2'"], 1: ["option weight '5'"], 2: ["option weight '3'"] },
      relayOptions: ["option lanes '10'"],
    },
  );
  t.teardown(async () => {
    await house.close();
  });
  const home = house.node("home");
  const states = async (): Promise<string> =>
    (await house.status()).gateways.map(({ number, state }) => `${String(number)} ${state}`).join(", ");
  const carrying = (numbers: readonly number[], status: Status): boolean =>
    status.gateways.every(({ number, state }) => (state === "up") === numbers.includes(number));
  const carry = async (numbers: readonly number[], limit = 15_000): Promise<void> => {
    await until(`${numbers.join(" ")} carry`, limit, async () => {
      const { status, stdout } = await home.run(BINDER, ["status", "--json"]);
      return status === 0 && carrying(numbers, JSON.parse(stdout) as Status) ? true : undefined;
    }).catch(async (error: unknown) => {
      throw new Error(`${String(error)}: ${await states()}`);
    });
  };
  const endpoints = async (): Promise<number> =>
    (await home.must("ip", ["mptcp", "endpoint"])).split("\n").filter((line) => line.includes("198.19.")).length;

  await t.test("of ten the best eight carry, by priority and weight; the others stand by", async (t) => {
    await carry([1, 2, 3, 4, 5, 6, 7, 8], 60_000);
    await lanesUsed(house, 8);
    t.equal(await endpoints(), 8);
    const status = await house.status();
    t.same(
      status.gateways.filter(({ state }) => state === "standby").map(({ number }) => number),
      [9, 10],
    );
    t.ok(status.gateways.every(({ state, reason }) => state !== "standby" || reason !== ""));
    const before = await Promise.all([9, 10].map(async (number) => (await house.node(`gw${String(number)}`).counters("up0")).rxBytes));
    const { content, bps } = await house.get(["--seconds", "4"]);
    t.equal(content, "good");
    t.ok(bps > 35 * MEGA, `${(bps / MEGA).toFixed(1)} Mbit/s by eight`);
    const after = await Promise.all([9, 10].map(async (number) => (await house.node(`gw${String(number)}`).counters("up0")).rxBytes));
    after.forEach((bytes, index) =>
      t.ok(bytes - (before[index] ?? 0) < 30_000, `those that stand by carried ${String(bytes - (before[index] ?? 0))} bytes`),
    );
  });

  await t.test("when one fails the ninth takes its place, and gives it back", async (t) => {
    const running = house.get(["--seconds", "8"]);
    await house.testbed.link(3).cut();
    await carry([1, 2, 4, 5, 6, 7, 8, 9]);
    await house.testbed.link(4).cut();
    await carry([1, 2, 5, 6, 7, 8, 9]);
    const { content, end } = await running;
    t.equal(`${content} ${end}`, "good time");
    await house.testbed.link(3).mend();
    await house.testbed.link(4).mend();
    await carry([1, 2, 3, 4, 5, 6, 7, 8], 30_000);
  });

  await t.test("the second priority carries when none of the first does", async (t) => {
    const first = [1, 2, 3, 4, 5, 6, 7, 8, 9];
    await Promise.all(first.map(async (number) => await house.testbed.link(number).cut()));
    await carry([10], 30_000);
    t.equal((await house.get(["--bytes", "100000", "--limit", "20"])).content, "good");
    await Promise.all(first.map(async (number) => await house.testbed.link(number).mend()));
    await carry([1, 2, 3, 4, 5, 6, 7, 8], 60_000);
  });

  await t.test("a reload that changes nothing but a priority is heeded, and the lanes stay", async (t) => {
    const config = await home.read("/etc/config/binder");
    const openvpns = async (): Promise<string> => await home.must("sh", ["-c", "cat /run/binder/processes/lane-*.json"]);
    const before = await openvpns();
    await home.write("/etc/config/binder", config.replace("config gateway 'gw3'", "config gateway 'gw3'\n\toption priority '2'"));
    house.homeDaemon.kill("SIGHUP");
    await carry([1, 2, 4, 5, 6, 7, 8, 9]);
    await home.write("/etc/config/binder", config);
    house.homeDaemon.kill("SIGHUP");
    await carry([1, 2, 3, 4, 5, 6, 7, 8]);
    t.equal(await openvpns(), before);
  });

  await t.test("a gateway that has carried its quota stands by, also after a restart", async (t) => {
    const config = await home.read("/etc/config/binder");
    await home.write("/etc/config/binder", config.replace("config gateway 'gw1'", "config gateway 'gw1'\n\toption quota '3M'"));
    house.homeDaemon.kill("SIGHUP");
    await house.get(["--seconds", "6"]);
    await carry([2, 3, 4, 5, 6, 7, 8, 9]);
    t.match((await house.status()).warnings.join(), /'gw1' has carried its/);
    await home.must(BINDER, ["stop"], { limit: 20_000 });
    await house.homeDaemon.exit;
    await home.must("rm", ["-rf", "/run/binder"]);
    house.homeDaemon = home.start(BINDER, ["run"]);
    await carry([2, 3, 4, 5, 6, 7, 8, 9], 60_000);
    t.equal((await house.get(["--bytes", "100000"])).content, "good");
    await until("it stands by", 15_000, async () => {
      const first = (await house.status()).gateways.find(({ number }) => number === 1);
      if (first?.state === "up") throw new Error("it carries, though its quota is used up");
      return first?.state === "standby" ? true : undefined;
    });
  });
});
