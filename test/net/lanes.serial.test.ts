import { test } from "../harness/index.ts";
import type { Running, TestNode } from "../testbed/index.ts";
import { serveEcho } from "./echo.ts";
import { BINDER, Household, RELAY, SERVER, type StatusGateway, until } from "./household.ts";

/** Ways to the Internet as community networks have them. */
const gateways = [
  { rate: 10e6, delay: 5 },
  { rate: 10e6, delay: 5, deviceMtu: 1492 },
  { rate: 10e6, delay: 5, deviceMtu: 1420 },
  { rate: 10e6, delay: 5, mtu: 1420 },
  { rate: 10e6, delay: 5, mtu: 1300 },
  { rate: 10e6, delay: 5, dropFragments: true },
] as const;
const kinds = ["plain", "PPPoE, 1492", "LTE, 1420", "drops above 1420", "drops above 1300", "drops fragments"];
/** Bytes that OpenVPN, UDP and IP add to a packet of the lane. */
const OVERHEAD = 52;
const least = [1500, 1492, 1420, 1420, 1300, 1500];

async function openvpnOf(home: TestNode, lane: number): Promise<number | undefined> {
  const { stdout } = await home.run("ps", ["-eo", "pid=,comm=,args="]);
  const match = new RegExp(`^ *([0-9]+) openvpn +.*lane-${String(lane)}\\.conf`, "m").exec(stdout);
  return match === null ? undefined : Number(match[1]);
}

async function gatewayOf(house: Household, number: number): Promise<StatusGateway> {
  const found = (await house.status()).gateways.find((gateway) => gateway.number === number);
  if (found === undefined) throw new Error(`no gateway ${String(number)}`);
  return found;
}

async function stateOf(house: Household, number: number, state: string, limit: number): Promise<StatusGateway> {
  return await until(`gateway ${String(number)} is ${state}`, limit, async () => {
    const gateway = await gatewayOf(house, number);
    return gateway.state === state ? gateway : undefined;
  });
}

async function mtuOf(home: TestNode, lane: number): Promise<number> {
  return Number((await home.read(`/sys/class/net/binder-${String(lane)}/mtu`)).trim());
}

/** What HAProxy gives a connection that carries nothing yet (ms): 15 s for the home's header, 8 s to connect. A session has longer. */
const SHORT_LIMIT = 15_000;

/** A TCP session with the server: says a line for every line it is given, and prints who the server says is talking. */
async function openSession(house: Household): Promise<{ readonly session: Running; readonly peer: string }> {
  await serveEcho(house.node("server"), "tcp:7001");
  const session = house.node("lan1").start(process.execPath, [
    "-e",
    `const s = require("net").connect(7001, "${SERVER}"); s.pipe(process.stdout); process.stdin.pipe(s);
     for (const e of ["end", "error"]) s.on(e, (why) => { console.log(why?.code ?? e); process.exit(1); });`,
  ]);
  session.write("first\n");
  const [peer] = await session.line(/^45\..*$/);
  return { session, peer };
}

/** A firewall that lets everything out but UDP to the relay: it is dropped in silence, or refused as this says. */
async function blockUdp(gateway: TestNode, verdict: string): Promise<void> {
  await gateway.must("nft", ["-f", "-"], {
    input: `table ip firewall { chain out { type filter hook forward priority 0; ip daddr ${RELAY} meta l4proto udp ${verdict}; }; }`,
  });
}

test("a household's lanes", { timeout: 300_000 }, async (t) => {
  const reasons = new Set<string>();
  const house = await Household.create(
    { gateways },
    {
      gatewayOptions: { 6: ["option mtu '1350'"] },
      beforeBinder: async (testbed) => {
        for (const name of gateways.map((_, index) => `gw${String(index + 1)}`)) {
          await testbed.node(name).must("nft", ["-f", "-"], {
            input:
              "table ip seen { counter fragments {}; chain pre { type filter hook prerouting priority -450; ip frag-off & 0x3fff != 0 counter name fragments; }; }",
          });
        }
      },
    },
  );
  t.teardown(async () => {
    await house.close();
  });
  const home = house.node("home");

  await t.test("lanes come up over lines that pass only small packets, each with an MTU that fits", async (t) => {
    await until("all lanes are up", 60_000, async () => {
      const { status, stdout } = await home.run(BINDER, ["status", "--json"]);
      if (status !== 0) return undefined;
      const all = JSON.parse(stdout) as { gateways: readonly StatusGateway[]; transport: string };
      for (const { number, state, reason } of all.gateways) if (number === 5 && state !== "up") reasons.add(reason);
      return all.transport === "proxy" && all.gateways.every(({ state }) => state === "up") ? true : undefined;
    });
    t.match([...reasons].join("; "), /largest packet/, "while the size is sought, status says so");
    for (const [index, kind] of kinds.entries()) {
      const mtu = await mtuOf(home, index + 1);
      t.ok(mtu + OVERHEAD <= (least[index] ?? 0), `${kind}: ${String(mtu)} fits`);
      t.ok(mtu >= 1200, `${kind}: ${String(mtu)} is no smaller than it must be`);
    }
    t.equal(await mtuOf(home, 1), 1400, "the design's MTU where nothing is in its way");
    t.equal(await mtuOf(home, 6), 1350, "option mtu");
  });

  const { session, peer } = await openSession(house);
  const silentSince = performance.now();

  await t.test("a download uses all of them, and no line carries a fragment", async (t) => {
    const before = await Promise.all(gateways.map(async (_, index) => (await house.testbed.link(index + 1).counters()).down.bytes));
    const { content, end } = await house.get(["--bytes", "20000000", "--limit", "60"]);
    t.equal(`${content} ${end}`, "good complete");
    for (const [index, kind] of kinds.entries()) {
      const { down, up } = await house.testbed.link(index + 1).counters();
      t.ok(down.bytes - (before[index] ?? 0) > 500_000, `${kind}: carried ${String(down.bytes - (before[index] ?? 0))} bytes`);
      t.equal(down.drops.fragments + up.drops.fragments, 0, `${kind}: no fragment was dropped`);
      const text = await house.node(`gw${String(index + 1)}`).must("nft", ["list", "counter", "ip", "seen", "fragments"]);
      t.match(text, /packets 0 /, `${kind}: no fragment came by`);
    }
  });

  await t.test(
    "the narrowest gateway carries a download alone, when all others are blocked, and is joined by them again without help",
    async (t) => {
      const others = [1, 2, 3, 4, 6];
      for (const number of others) await house.testbed.link(number).cut();
      const running = house.get(["--bytes", "3000000", "--limit", "60"]);
      for (const number of others) {
        const { reason, advice } = await stateOf(house, number, "down", 20_000);
        t.match(reason, /does not answer/);
        t.not(advice, "");
      }
      const { content, end } = await running;
      t.equal(`${content} ${end}`, "good complete");
      for (const number of others) await house.testbed.link(number).mend();
      await house.lanesUp(6, 30_000);
      const before = (await house.testbed.link(1).counters()).down.bytes;
      const after = await house.get(["--bytes", "6000000"]);
      t.equal(`${after.content} ${after.end}`, "good complete");
      t.ok((await house.testbed.link(1).counters()).down.bytes - before > 300_000, "gateway 1 carries again");
    },
  );

  await t.test(
    "where a firewall keeps UDP from the relay, status says what to look for, and the lane is back when it no longer does",
    async (t) => {
      const verdicts = ["drop", "reject", "reject with icmp type admin-prohibited"];
      const blocked = verdicts.map((verdict, index) => ({ verdict, number: index + 1, gateway: house.node(`gw${String(index + 1)}`) }));
      await Promise.all(blocked.map(async ({ gateway, verdict }) => await blockUdp(gateway, verdict)));
      const traffic = house.get(["--seconds", "4"]);
      for (const { verdict, number } of blocked) {
        await stateOf(house, number, "down", 30_000);
        // What was on its way as it went down may be heard a moment later, and be taken for an answer.
        const { reason } = await until(`${verdict}: status has its reason and advice`, 20_000, async () => {
          const gateway = await gatewayOf(house, number);
          const known = /does not answer|refused|No route/.test(gateway.reason) && /lets? (it|UDP) out/.test(gateway.advice);
          return known && gateway.state === "down" ? gateway : undefined;
        });
        const told = await home.must(BINDER, ["status"]);
        t.match(told, new RegExp(`^gw${String(number)}: .*\\n +-> .* out`, "m"), `${verdict}: ${reason}`);
      }
      await traffic;
      await Promise.all(blocked.map(async ({ gateway }) => await gateway.must("nft", ["delete", "table", "ip", "firewall"])));
      await house.lanesUp(6, 40_000);
    },
  );

  await t.test("an OpenVPN that is killed is started again, and a download does not notice but for its pace", async (t) => {
    const running = house.get(["--seconds", "6"]);
    const pid = (await openvpnOf(home, 1)) ?? 0;
    await home.must("kill", ["-9", String(pid)]);
    const next = await until("another OpenVPN", 5_000, async () => {
      const found = await openvpnOf(home, 1);
      return found !== undefined && found !== pid ? found : undefined;
    });
    t.not(next, pid);
    await stateOf(house, 1, "up", 20_000);
    const { content, end } = await running;
    t.equal(`${content} ${end}`, "good time");
  });

  await t.test("with broken keys OpenVPN is tried again ever more slowly, and status says what is wrong", async (t) => {
    const key = await home.read("/etc/binder/coop/home.key");
    await home.write("/etc/binder/coop/home.key", "no key\n", 0o600);
    const count = async (): Promise<string> =>
      (await home.run("grep", ["-c", "Exiting due to fatal error", "/run/binder/log/lane-2.log"])).stdout.trim() || "0";
    await home.must("kill", ["-9", String((await openvpnOf(home, 2)) ?? 0)]);
    const told = await until("status has OpenVPN's error", 15_000, async () => {
      const { state, reason, advice } = await gatewayOf(house, 2);
      return state !== "up" && /private key|home\.key/i.test(reason) ? { reason, advice } : undefined;
    });
    t.not(told.advice, "", `advice: ${told.advice}`);
    const times: number[] = [];
    for (let seen = Number(await count()); times.length < 4; ) {
      seen = await until("another try", 20_000, async () => {
        const now = Number(await count());
        return now > seen ? now : undefined;
      });
      times.push(performance.now());
    }
    const waits = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    t.comment(`waits of ${waits.map((wait) => wait.toFixed(0)).join(", ")} ms`);
    // A wait is between half and the whole of its step, and steps double: two steps on it is at least twice as long, less OpenVPN's own time.
    t.ok((waits.at(-1) ?? 0) > (waits[0] ?? 0) * 1.5, "the waits grow");
    await home.write("/etc/binder/coop/home.key", key, 0o600);
    await stateOf(house, 2, "up", 40_000);
  });

  await t.test("a session that had nothing to say all the while is still the same", async (t) => {
    const silence = await until("it was silent for twice the proxies' short limits", 2 * SHORT_LIMIT, async () => {
      const lasted = performance.now() - silentSince;
      return await Promise.resolve(lasted > 2 * SHORT_LIMIT ? lasted : undefined);
    });
    const from = session.lines.length;
    session.write("last\n");
    t.equal(
      (await session.line(/^.+$/, 10_000, from))[0],
      peer,
      `after ${(silence / 1000).toFixed(0)} s, the server sees the same connection`,
    );
    await session.end();
  });

  await t.test(
    "with keys of another relay, status says that the certificate is wrong; with the right ones again, lanes come up without help",
    async (t) => {
      const ca = await home.read("/etc/binder/coop/ca.crt");
      await home.must("openssl", [
        ...["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=other", "-days", "3650"],
        ...["-keyout", "/tmp/other.key", "-out", "/etc/binder/coop/ca.crt"],
      ]);
      house.homeDaemon.kill("SIGHUP");
      const told = await until("status says whose certificate it is", 30_000, async () => {
        const { state, reason, advice } = await gatewayOf(house, 3);
        return state !== "up" && /certificate|VERIFY/i.test(reason) && advice !== "" ? { reason, advice } : undefined;
      });
      t.match(told.advice, /operator/);
      t.comment(`${told.reason}: ${told.advice}`);
      await home.write("/etc/binder/coop/ca.crt", ca);
      house.homeDaemon.kill("SIGHUP");
      await house.lanesUp(6, 40_000);
    },
  );
});
