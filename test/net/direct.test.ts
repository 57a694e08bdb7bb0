import { test } from "../harness/index.ts";
import { addressesSeen, answersOf, askOn, serveEcho } from "./echo.ts";
import { programs } from "./relay.ts";
import { BINDER, Household, PORT, RELAY, SERVER, until } from "./household.ts";

const gateways = [
  { rate: 20e6, delay: 10, attach: "wan" },
  { rate: 10e6, delay: 20 },
  { rate: 30e6, delay: 5 },
] as const;
const ECHO = 7000;
const all = "45.0.1.2 45.0.2.2 45.0.3.2";

test("a household whose relay is away", { timeout: 240_000 }, async (t) => {
  const house = await Household.create({ gateways });
  t.teardown(async () => {
    await house.close();
  });
  await house.lanesUp(3);
  const lan = house.node("lan1");
  const relay = house.node("relay");
  await serveEcho(house.node("server"), `udp:${String(ECHO)}`);
  const transport = async (name: string, limit: number): Promise<number> => {
    const from = performance.now();
    await until(`transport ${name}`, limit, async () => ((await house.status()).transport === name ? true : undefined));
    return performance.now() - from;
  };

  const call = askOn(lan, SERVER, ECHO, 1, 60);
  await until("the call is answered", 5_000, async () => Promise.resolve(answersOf(call).length > 0 ? true : undefined));

  await t.test("new flows leave by every gateway that works, and the household keeps its Internet", async (t) => {
    t.equal(await addressesSeen(lan, SERVER, ECHO, 12), RELAY);
    house.relayDaemon.kill("SIGKILL");
    await house.relayDaemon.exit;
    for (const pid of Object.values(await programs(relay))) await relay.must("kill", ["-9", String(pid)]);
    t.comment(`direct after ${(await transport("direct", 15_000)).toFixed(0)} ms`);
    t.equal(await addressesSeen(lan, SERVER, ECHO, 24), all, "UDP");
    const seen = new Set<string>();
    for (let i = 0; i < 12; i += 1) {
      const { content, end, peer } = await house.get(["--bytes", "20000"]);
      t.equal(`${content} ${end}`, "good complete");
      seen.add(peer.split(":")[0] ?? "");
    }
    t.ok(seen.size >= 2, `TCP by ${[...seen].join(" ")}`);
  });

  await t.test("a call that began before goes on by a gateway", async (t) => {
    const peer = answersOf(call).at(-1)?.peer ?? "";
    t.match(peer, /^45\.0\.[123]\.2:/, "the server sees it from a gateway now");
    await call.end();
    await Promise.resolve();
  });

  await t.test("a gateway that is lost takes no flow of another with it, and gets no new ones", async (t) => {
    const flows = askOn(lan, SERVER, ECHO, 12, 14);
    const peers = await until("every flow is answered", 5_000, async () => {
      const found = new Map(answersOf(flows).map(({ flow, peer }) => [flow, peer.split(":")[0] ?? ""]));
      return Promise.resolve(found.size === 12 ? found : undefined);
    });
    await house.testbed.link(3).cut();
    await until("new flows go by the others", 12_000, async () =>
      (await addressesSeen(lan, SERVER, ECHO, 12)) === "45.0.1.2 45.0.2.2" ? true : undefined,
    );
    const from = answersOf(flows).length;
    await flows.exit;
    const later = new Map(
      answersOf(flows)
        .slice(from)
        .map(({ flow, peer }) => [flow, peer.split(":")[0] ?? ""]),
    );
    for (const [flow, peer] of peers) if (peer !== "45.0.3.2") t.equal(later.get(flow), peer, `flow ${String(flow)} goes on by ${peer}`);
    await house.testbed.link(3).mend();
    await until("it is used again", 12_000, async () => ((await addressesSeen(lan, SERVER, ECHO, 24)) === all ? true : undefined));
  });

  await t.test("the relay is back: new flows cross it, and those that left directly go on", async (t) => {
    const flow = house.get(["--seconds", "12"], 60_000);
    await until("it runs", 3_000, async () => ((await house.status()).transport === "direct" ? true : undefined));
    house.relayDaemon = relay.start(BINDER, ["relay", "run"]);
    t.comment(`proxy after ${(await transport("proxy", 20_000)).toFixed(0)} ms`);
    await house.lanesUp(3, 20_000);
    // A new socket may get the port of one whose flow, which left directly, the kernel remembers still.
    await house.node("home").must("conntrack", ["-D", "-p", "udp", "--dport", String(ECHO)]);
    t.equal(await addressesSeen(lan, SERVER, ECHO, 12), RELAY);
    const { content, end, peer } = await flow;
    t.equal(`${content} ${end}`, "good time");
    t.not(peer.split(":")[0], RELAY, "it began without the relay");
    t.equal((await house.flow(["get", "--to", SERVER, "--port", String(PORT), "--bytes", "1000"])).peer.split(":")[0], RELAY);
  });
});
