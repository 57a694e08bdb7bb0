/** Two sticks that both call themselves 192.168.8.1, each on an interface of its own. */
import { test } from "../harness/index.ts";
import { lanesUsed } from "./capture.ts";
import { addressesSeen, serveEcho, webAddress } from "./echo.ts";
import { Household, RELAY, SERVER, until } from "./household.ts";
import { programs } from "./relay.ts";
import { longestStall, rateBetween, Timeline } from "./timeline.ts";

const gateways = [
  { rate: 20e6, delay: 5, attach: "wan", address: "192.168.8.1" },
  { rate: 20e6, delay: 10, attach: "wan", address: "192.168.8.1" },
] as const;
const ECHO = 7000;
const FORWARDED = 8080;

test("two WANs of one subnet and one gateway address", { timeout: 240_000 }, async (t) => {
  const house = await Household.create({ gateways, homeDefault: 1 });
  t.teardown(async () => {
    await house.close();
  });
  const [home, lan, server] = [house.node("home"), house.node("lan1"), house.node("server")];
  await lanesUsed(house, 2);
  await serveEcho(server, `udp:${String(ECHO)}`);
  await serveEcho(lan, `udp:${String(FORWARDED)}`, `http:${String(FORWARDED)}`);
  const forward = (device: string, to: string): string =>
    `table ip forward-port { chain in { type nat hook prerouting priority dstnat; iifname "${device}" meta l4proto { tcp, udp } th dport ${String(FORWARDED)} dnat to ${to}:${String(FORWARDED)}; }; }`;
  await house.node("gw1").must("nft", ["-f", "-"], { input: forward("up0", "192.168.8.100") });
  await home.must("nft", ["-f", "-"], { input: forward("wan1", "192.168.1.10") });
  const forwards = async (): Promise<string> =>
    `TCP ${await webAddress(server, `http://45.0.1.2:${String(FORWARDED)}/`)}, UDP ${await addressesSeen(server, "45.0.1.2", FORWARDED, 3)}`;

  await t.test("both carry, and each is missed alone", async (t) => {
    for (const gone of [1, 2]) {
      const timeline = await Timeline.start(house, "get", 9);
      const from = await timeline.passed(3_000);
      await house.testbed.link(gone).cut();
      const mended = await timeline.passed(from + 2_500);
      await house.testbed.link(gone).mend();
      const { content, end } = await timeline.result();
      t.equal(`${content} ${end}`, "good time");
      const [full, alone] = [rateBetween(timeline.points, 1_500, from), rateBetween(timeline.points, from + 1_000, mended)];
      t.ok(full > 30e6, `${(full / 1e6).toFixed(1)} Mbit/s by both`);
      t.ok(alone > 13e6 && alone < 20e6, `${(alone / 1e6).toFixed(1)} Mbit/s by the other`);
      await lanesUsed(house, 2, 20_000);
    }
  });

  await t.test("a port forward works beside the proxy", async (t) => {
    t.equal(await forwards(), `TCP ${SERVER}, UDP ${SERVER}`);
  });

  await t.test("an interface gets another address in the middle of a transfer", async (t) => {
    const timeline = await Timeline.start(house, "get", 10);
    const from = await timeline.passed(3_000);
    await home.ip(["address del 192.168.8.100/24 dev wan2", "address add 192.168.8.150/24 dev wan2"]);
    const { content, end } = await timeline.result();
    t.equal(`${content} ${end}`, "good time");
    const stall = longestStall(timeline.points, from - 20, 9_900);
    t.ok(stall < 1_500, `${stall.toFixed(0)} ms without a byte`);
    t.ok(rateBetween(timeline.points, from + 3_000, 9_900) > 30e6, "both carry again");
    await home.ip(["address del 192.168.8.150/24 dev wan2", "address add 192.168.8.100/24 dev wan2"]);
    await lanesUsed(house, 2, 20_000);
  });

  await t.test("the port forward works in direct, too", async (t) => {
    const relay = house.node("relay");
    house.relayDaemon.kill("SIGKILL");
    await house.relayDaemon.exit;
    for (const pid of Object.values(await programs(relay))) await relay.must("kill", ["-9", String(pid)]);
    await until("direct", 15_000, async () => ((await house.status()).transport === "direct" ? true : undefined));
    t.equal(await forwards(), `TCP ${SERVER}, UDP ${SERVER}`);
    t.equal(await addressesSeen(lan, SERVER, ECHO, 24), "45.0.1.2 45.0.2.2", "and the LAN leaves by both");
    t.not(await addressesSeen(lan, SERVER, ECHO), RELAY);
  });
});
