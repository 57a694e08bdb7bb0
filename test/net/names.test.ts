import { test } from "../harness/index.ts";
import { serveNames } from "./echo.ts";
import { BINDER, Household, SERVER, until } from "./household.ts";

const GATEWAYS = [
  { rate: 20e6, delay: 5 },
  { rate: 20e6, delay: 20 },
  { rate: 20e6, delay: 40 },
];
/** What the authority on the Internet answers, and what the resolver of each gateway's provider does. */
const AUTHORITY = "203.0.113.99";
const provider = (number: number): string => `203.0.113.${String(number)}`;
const NAMED = `nameserver ${SERVER}\n`;

test("names resolve over the lanes, whichever gateway is alive", { timeout: 150_000 }, async (t) => {
  const house = await Household.create({ gateways: GATEWAYS });
  t.teardown(async () => {
    await house.close();
  });
  const [home, lan1] = [house.node("home"), house.node("lan1")];
  await house.node("relay").write("/etc/resolv.conf", NAMED);
  // Nobody but the relay's customers is answered by the relay's resolver, and nobody but a provider's own by the provider's.
  await serveNames(house.node("server"), SERVER, AUTHORITY, "45.0.100.");
  for (const [index] of GATEWAYS.entries()) {
    const number = index + 1;
    await house.node("inet").ip([`address add 45.0.${String(number)}.53/32 dev lo`]);
    await serveNames(house.node("inet"), `45.0.${String(number)}.53`, provider(number), `45.0.${String(number)}.`);
    // What gateways of the household's kind do: they answer themselves, by asking their provider.
    house
      .node(`gw${String(number)}`)
      .start("dnsmasq", [
        ...["--keep-in-foreground", "--conf-file=/dev/null", "--no-hosts", "--no-resolv", "--cache-size=0", "--user=root", "--pid-file"],
        `--server=45.0.${String(number)}.53`,
      ]);
  }
  await home.must("mkdir", ["-p", "/run/dnsmasq", "/run/binder"]);
  await until("the servers file", 5_000, async () =>
    (await home.run("test", ["-e", "/run/binder/servers"])).status === 0 ? true : undefined,
  );
  const local = home.start("dnsmasq", [
    ...["--keep-in-foreground", "--conf-file=/dev/null", "--no-hosts", "--no-resolv", "--cache-size=0", "--user=root"],
    ...["--servers-file=/run/binder/servers", "--pid-file=/run/dnsmasq/dnsmasq.pid", "--log-facility=-"],
  ]);
  /** As a device asks: again after a second. */
  const resolve = async (from = lan1, tries = 4): Promise<string> => {
    const name = `${String(Date.now())}.example.org`;
    const { stdout } = await from.run("dig", ["+short", `+tries=${String(tries)}`, "+time=1", "@192.168.1.1", name]);
    return stdout.trim();
  };

  await t.test("by the relay's resolver while a relay answers", async (t) => {
    await house.lanesUp(3);
    await until("a name of the relay's", 5_000, async () => ((await resolve()) === AUTHORITY ? true : undefined));
    for (let i = 0; i < 5; i++) t.equal(await resolve(), AUTHORITY);
    t.equal(await resolve(home), AUTHORITY, "for the router itself too");
  });

  for (const alive of [1, 2, 3]) {
    await t.test(`gateway ${String(alive)} alone`, async (t) => {
      const cut = [1, 2, 3].filter((number) => number !== alive);
      const load = house.get(["--seconds", "6"], 60_000);
      await until("it is under load", 10_000, async () =>
        (await house.status()).gateways.every(({ down_bps }) => down_bps > 1e6) ? true : undefined,
      );
      for (const number of cut) await house.testbed.link(number).cut();
      const from = Date.now();
      await until("a name", 5_000, async () => ((await resolve(lan1, 1)) === AUTHORITY ? true : undefined));
      t.comment(`a name after ${String(Date.now() - from)} ms`);
      await house.lanesUp(1, 10_000);
      for (let i = 0; i < 5; i++) t.equal(await resolve(), AUTHORITY);
      for (const number of cut) await house.testbed.link(number).mend();
      await house.lanesUp(3, 30_000);
      void load.catch(() => undefined);
    });
  }

  await t.test("without a relay: each gateway's own resolver, through that gateway", async (t) => {
    for (const number of [1, 2]) await house.testbed.link(number).cut();
    await house.node("relay").must(BINDER, ["stop"]);
    await until("no lane is live", 30_000, async () => ((await house.status()).transport === "off" ? true : undefined));
    await until("a name of the provider's", 15_000, async () => ((await resolve()) === provider(3) ? true : undefined));
    t.pass("by the only gateway that is alive");
    for (const number of [1, 2]) await house.testbed.link(number).mend();
    const all = [1, 2, 3].map((number) => `server=10.77.0.${String(100 + number)}@198.18.213.${String(number)}\n`).join("");
    await until("all are asked again", 15_000, async () => ((await home.read("/run/binder/servers")) === all ? true : undefined));
    for (const number of [1, 2, 3]) {
      const args = ["+short", "+tries=3", "+time=1", "-b", `198.18.213.${String(number)}`, `@45.0.${String(number)}.53`, "a.example.org"];
      t.equal((await home.must("dig", args)).trim(), provider(number), `gateway ${String(number)}'s provider knows its customer`);
    }
  });

  await t.test("a process that took over a stale pid is not signalled, and a stop leaves no resolver behind", async (t) => {
    const bystander = home.start("sh", ["-c", "echo $$; trap 'echo hup' HUP; while :; do sleep 0.1; done"]);
    const [pid] = await bystander.line(/^\d+$/);
    await home.write("/run/dnsmasq/old.pid", `${pid}\n`);
    await home.must(BINDER, ["stop"]);
    await until("dnsmasq asks nobody that is gone", 5_000, async () =>
      (await home.run("dig", ["+tries=1", "+time=1", "@192.168.1.1", "x.example.org"])).stdout.includes("REFUSED") ? true : undefined,
    );
    t.notOk(bystander.lines.includes("hup"));
    await bystander.end();
    await local.end();
  });
});
