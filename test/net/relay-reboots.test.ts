/** What homes do when the relay's machine, or a program, starts anew. */
import { test } from "../harness/index.ts";
import { lanesUsed } from "./capture.ts";
import { addressesSeen, serveEcho } from "./echo.ts";
import { BINDER, Household, RELAY, SERVER, until } from "./household.ts";
import { processes, programs } from "./relay.ts";

const gateways = [
  { rate: 20e6, delay: 10 },
  { rate: 30e6, delay: 5 },
] as const;
const ECHO = 7000;
/** Seconds here may be this much longer (ms) than where nothing else runs. */
const SLACK = 2_500;

test("a relay that starts anew", { timeout: 240_000 }, async (t) => {
  const house = await Household.create({ gateways });
  t.teardown(async () => {
    await house.close();
  });
  await lanesUsed(house, 2);
  const [home, relay, lan] = [house.node("home"), house.node("relay"), house.node("lan1")];
  await serveEcho(house.node("server"), `udp:${String(ECHO)}`);

  /** The machine loses its power: nobody says good-bye, and nothing is left but its disk. */
  const powerOff = async (): Promise<void> => {
    await relay.ip(["link set eth0 down"]);
    house.relayDaemon.kill("SIGKILL");
    await house.relayDaemon.exit;
    for (const pid of Object.values(await programs(relay))) await relay.must("kill", ["-9", String(pid)]);
    await relay.must(BINDER, ["cleanup"]);
    await relay.must("sh", ["-c", "rm -rf /run/binder"]);
    await relay.run("conntrack", ["-F"]);
  };
  const powerOn = async (): Promise<void> => {
    await relay.ip(["link set eth0 up", "route replace default via 45.0.100.1"]);
    house.relayDaemon = relay.start(BINDER, ["relay", "run"]);
    await until("the relay runs", 10_000, async () => ((await relay.run(BINDER, ["status", "--json"])).status === 0 ? true : undefined));
  };
  /** How long (ms) until a download crosses the relay, by tries of a second. */
  const carried = async (limit: number): Promise<number> => {
    const from = performance.now();
    await until("a download crosses the relay", limit, async () => {
      const { content, end, peer } = await house.get(["--bytes", "100000", "--limit", "1"]);
      return content === "good" && end === "complete" && peer.startsWith(RELAY) ? true : undefined;
    });
    return performance.now() - from;
  };

  for (const away of [0, 12_000]) {
    await t.test(`its machine reboots, ${String(away / 1000)} s long: homes are back within five seconds without help`, async (t) => {
      await powerOff();
      await new Promise((resolve) => setTimeout(resolve, away));
      await powerOn();
      const took = await carried(20_000);
      t.comment(`${took.toFixed(0)} ms`);
      t.ok(took < 5_000 + SLACK, `after ${took.toFixed(0)} ms`);
      await lanesUsed(house, 2, 10_000);
      t.equal(await addressesSeen(lan, SERVER, ECHO, 6), RELAY);
    });
  }

  await t.test("a lane's server is killed: its lane is back within seconds, and the download goes on by the other", async (t) => {
    const running = house.get(["--seconds", "8"]);
    const server = Object.entries(await programs(relay)).find(([name]) => name.includes("2"));
    t.ok(server, "lane 2 has a server");
    await relay.must("kill", ["-9", String(server?.[1])]);
    const from = performance.now();
    await until("the lane is down", 5_000, async () => ((await house.status()).gateways[1]?.state === "up" ? undefined : true));
    await lanesUsed(house, 2, 10_000);
    const took = performance.now() - from;
    t.comment(`${took.toFixed(0)} ms`);
    t.ok(took < 5_000 + SLACK, `after ${took.toFixed(0)} ms`);
    const { content, end } = await running;
    t.equal(`${content} ${end}`, "good time");
  });

  await t.test("OpenVPN or HAProxy is killed at home: back within a second", async (t) => {
    for (const name of ["haproxy", "openvpn"]) {
      const before = (await processes(home)).filter((process) => process.name === name);
      t.ok(before.length > 0);
      const from = performance.now();
      await home.must("kill", ["-9", ...before.map(({ pid }) => String(pid))]);
      await until(`${name} is back`, 5_000, async () => {
        const now = (await processes(home)).filter((process) => process.name === name && !before.some(({ pid }) => pid === process.pid));
        return now.length === before.length ? true : undefined;
      });
      const took = performance.now() - from;
      t.comment(`${name}: ${took.toFixed(0)} ms`);
      t.ok(took < 1_000 + SLACK / 2, `${name}: after ${took.toFixed(0)} ms`);
      await lanesUsed(house, 2, 15_000);
      t.equal((await house.get(["--bytes", "100000"])).content, "good");
    }
  });
});
