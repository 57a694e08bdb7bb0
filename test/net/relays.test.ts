import { test } from "../harness/index.ts";
import { addressesSeen, serveEcho } from "./echo.ts";
import { BINDER, Household, RELAY, SERVER, startRelay, until } from "./household.ts";
import { programs } from "./relay.ts";

const SPARE = "45.0.101.2";
const ECHO = 7000;
/** Seconds here may be this much longer (ms) than where nothing else runs. */
const SLACK = 2_000;

test("a household with two relays", { timeout: 180_000 }, async (t) => {
  const gateways = [
    { rate: 20e6, delay: 10 },
    { rate: 30e6, delay: 5 },
  ];
  const house = await Household.create({ gateways, relays: 2 });
  t.teardown(async () => {
    await house.close();
  });
  await house.lanesUp(2);
  const [home, relay, spare] = [house.node("home"), house.node("relay"), house.node("relay2")];
  const congestion = (await relay.read("/proc/sys/net/ipv4/tcp_congestion_control")).trim();
  await startRelay(spare, congestion, {}, { name: "spare", address: SPARE });
  const invite = await spare.must(BINDER, ["relay", "add-home", "farm"]);
  await home.must(BINDER, ["join", "-"], { input: invite });
  const config = await home.read("/etc/config/binder");
  t.match(config, /config relay 'spare'/);
  await home.write("/etc/config/binder", config.replace("config relay 'spare'", "config relay 'spare'\n\toption priority '2'"));
  house.homeDaemon.kill("SIGHUP");
  await serveEcho(house.node("server"), `udp:${String(ECHO)}`);
  const relayUsed = async (): Promise<string> => {
    const { stdout } = await home.must(BINDER, ["status", "--json"]).then((text) => ({ stdout: text }));
    return (JSON.parse(stdout) as { relay: { name: string } }).relay.name;
  };

  await t.test("the second one changes nothing while the first answers", async (t) => {
    t.equal(await relayUsed(), "coop");
    t.equal((await house.get(["--bytes", "10000"])).peer.split(":")[0], RELAY);
  });

  await t.test("when the first dies, new connections go by the second within three seconds", async (t) => {
    house.relayDaemon.kill("SIGKILL");
    await house.relayDaemon.exit;
    for (const pid of Object.values(await programs(relay))) await relay.must("kill", ["-9", String(pid)]);
    const from = performance.now();
    await until("a connection by the second relay", 20_000, async () => {
      const { end, peer } = await house.get(["--bytes", "1000", "--limit", "1"]);
      return end === "complete" && peer.startsWith(SPARE) ? true : undefined;
    });
    const took = performance.now() - from;
    t.ok(took < 3_000 + SLACK, `after ${took.toFixed(0)} ms`);
    t.comment(`after ${took.toFixed(0)} ms`);
    t.equal(await relayUsed(), "spare");
    await house.lanesUp(2, 20_000);
    t.equal(await addressesSeen(house.node("lan1"), SERVER, ECHO, 6), SPARE);
  });

  await t.test("the next daemon goes on with the relay that is used, and a download with it", async (t) => {
    const download = house.get(["--seconds", "5"]);
    house.homeDaemon.kill("SIGKILL");
    await house.homeDaemon.exit;
    house.homeDaemon = home.start(BINDER, ["run"]);
    await until("it answers", 10_000, async () => ((await home.run(BINDER, ["status", "--json"])).status === 0 ? true : undefined));
    const { content, end, peer } = await download;
    t.equal(`${content} ${end}`, "good time");
    t.equal(peer.split(":")[0], SPARE);
    t.equal(await relayUsed(), "spare");
  });

  await t.test("a reload stays with the relay that is used", async (t) => {
    house.homeDaemon.kill("SIGHUP");
    await until("it is read", 5_000, async () =>
      Promise.resolve(house.homeDaemon.stderr.trimEnd().endsWith("configuration read") ? true : undefined),
    );
    t.equal(await relayUsed(), "spare");
    t.equal((await house.get(["--bytes", "10000"])).end, "complete");
  });

  await t.test("and back when the second dies and the first answers again", async (t) => {
    house.relayDaemon = relay.start(BINDER, ["relay", "run"]);
    await until("it runs", 10_000, async () => ((await relay.run(BINDER, ["status", "--json"])).status === 0 ? true : undefined));
    await spare.must(BINDER, ["stop"]);
    await until("a connection by the first relay", 20_000, async () => {
      const { end, peer } = await house.get(["--bytes", "1000", "--limit", "1"]);
      return end === "complete" && peer.startsWith(RELAY) ? true : undefined;
    });
    t.equal(await relayUsed(), "coop");
  });
});
