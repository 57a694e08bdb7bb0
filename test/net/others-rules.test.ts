/** What others on the way, or on the router itself, do to packets and rules. */
import { test } from "../harness/index.ts";
import type { TestNode } from "../testbed/index.ts";
import { lanesUsed } from "./capture.ts";
import { addressesSeen, answersOf, askOn, serveEcho } from "./echo.ts";
import { Household, RELAY, SERVER, until } from "./household.ts";
import { Download } from "./relay.ts";
import { rateBetween, Timeline } from "./timeline.ts";

const gateways = [
  { rate: 20e6, delay: 10 },
  { rate: 10e6, delay: 20 },
  { rate: 30e6, delay: 5 },
] as const;
const ECHO = 7000;

/** A table of somebody else's at home, of one chain in the output hook. */
const outgoing = (rules: readonly string[]): string =>
  `table inet others { chain out { type filter hook output priority 0; ${rules.join("; ")}; }; }`;
const remove = async (node: TestNode): Promise<string> => await node.must("nft", ["delete", "table", "inet", "others"]);

/** As OpenWrt's fw4 has it, in short: what is allowed, NAT by the gateways, and the fast path if asked for. */
function firewall(offload: boolean): string {
  const table = `table inet fw4 {
    ${offload ? 'flowtable ft { hook ingress priority 0; devices = { "lan0", "mesh0" }; }' : ""}
    chain input { type filter hook input priority filter; policy accept; ct state vmap { established : accept, related : accept }; }
    chain forward {
      type filter hook forward priority filter; policy drop;
      ${offload ? "meta l4proto { tcp, udp } flow add @ft" : ""}
      ct state vmap { established : accept, related : accept }
      iifname "lan0" accept
    }
    chain srcnat { type nat hook postrouting priority srcnat; policy accept; oifname "mesh0" masquerade; }
  }`;
  return `table inet fw4\nflush table inet fw4\ndelete table inet fw4\n${table}\n`;
}

test("a household on a router, and behind gateways, with rules of their own", { timeout: 400_000 }, async (t) => {
  const house = await Household.create({ gateways, homeDefault: 1 });
  t.teardown(async () => {
    await house.close();
  });
  await lanesUsed(house, 3);
  const home = house.node("home");
  const lan = house.node("lan1");
  await serveEcho(house.node("server"), `udp:${String(ECHO)}`);
  const rateOf = async (seconds: number): Promise<number> => {
    const { content, end, bps } = await house.get(["--seconds", String(seconds)]);
    t.equal(`${content} ${end}`, "good time");
    return bps;
  };
  const warned = async (pattern: RegExp, limit: number): Promise<true> =>
    await until(`a warning ${String(pattern)}`, limit, async () =>
      (await house.status()).warnings.some((text) => pattern.test(text)) ? true : undefined,
    );
  const calm = async (pattern: RegExp): Promise<true> =>
    await until(`no warning ${String(pattern)}`, 20_000, async () => {
      await house.get(["--seconds", "3"]);
      return (await house.status()).warnings.some((text) => pattern.test(text)) ? undefined : true;
    });

  await t.test("the firewall is reloaded in the middle of a transfer", async (t) => {
    await home.must("nft", ["-f", "-"], { input: firewall(false) });
    const timeline = await Timeline.start(house, "get", 6);
    for (let reload = 1; reload <= 8; reload += 1) {
      await timeline.passed(1_500 + reload * 400);
      await home.must("nft", ["-f", "-"], { input: firewall(false) });
    }
    const { content, end } = await timeline.result();
    t.equal(`${content} ${end}`, "good time");
    t.ok(rateBetween(timeline.points, 2_000, 5_500) > 40e6, "at the rate of all");
    t.equal(await addressesSeen(lan, SERVER, ECHO, 12), RELAY);
  });

  const offloads = (await home.run("nft", ["-c", "-f", "-"], { input: firewall(true) })).status === 0;
  const skip = offloads ? {} : { skip: "this kernel has no flow tables (CONFIG_NF_FLOW_TABLE)" };
  await t.test("flow offloading pins no flow to a dead lane", skip, async (t) => {
    await home.must("nft", ["-f", "-"], { input: firewall(true) });
    const flows = askOn(lan, SERVER, ECHO, 12, 12);
    await until("flows are offloaded", 5_000, async () => {
      const { stdout } = await home.run("conntrack", ["-L", "-p", "udp", "--dport", String(ECHO)]);
      return stdout.includes("[OFFLOAD]") ? true : undefined;
    });
    const download = house.get(["--seconds", "8"]);
    await house.testbed.link(3).cut();
    await lanesUsed(house, 2, 10_000);
    await until("every flow goes on", 5_000, async () => {
      const last = Math.max(...answersOf(flows).map(({ at }) => at));
      const late = new Set(
        answersOf(flows)
          .filter(({ at }) => at > last - 300)
          .map(({ flow }) => flow),
      );
      return Promise.resolve(late.size === 12 ? true : undefined);
    });
    const { content, end } = await download;
    t.equal(`${content} ${end}`, "good time");
    await flows.end();
    t.same([...new Set(answersOf(flows).map(({ peer }) => peer.split(":")[0]))], [RELAY]);
    await house.testbed.link(3).mend();
    await home.must("nft", ["delete", "table", "inet", "fw4"]);
    await lanesUsed(house, 3, 20_000);
  });

  await t.test("rules and marks as mwan3's go on beside ours", async (t) => {
    await home.ip([
      "rule add pref 1001 iif mesh0 lookup 1",
      "rule add pref 2001 fwmark 0x100/0x3f00 lookup 1",
      "rule add pref 2061 fwmark 0x3d00/0x3f00 blackhole",
      "rule add pref 2062 fwmark 0x3e00/0x3f00 unreachable",
      "route add 192.168.1.0/24 dev lan0 table 1",
      "route add 10.77.0.0/24 dev mesh0 table 1",
      "route add default via 10.77.0.101 dev mesh0 table 1",
    ]);
    const marks = `table inet others {
      chain pre { type filter hook prerouting priority mangle; meta mark and 0x3f00 == 0 meta mark set meta mark or 0x100; ct mark set ct mark and 0xffffc0ff or 0x100; }
      chain out { type route hook output priority mangle; meta mark and 0x3f00 == 0 meta mark set meta mark or 0x100; ct mark set ct mark and 0xffffc0ff or 0x100; }
    }`;
    await home.must("nft", ["-f", "-"], { input: marks });
    const timeline = await Timeline.start(house, "get", 8);
    const from = await timeline.passed(3_000);
    await house.testbed.link(3).cut();
    await timeline.passed(from + 2_000);
    await house.testbed.link(3).mend();
    const { content, end } = await timeline.result();
    t.equal(`${content} ${end}`, "good time");
    t.ok(rateBetween(timeline.points, 1_500, from) > 40e6, "at the rate of all");
    t.ok(rateBetween(timeline.points, from + 500, from + 2_000) > 20e6, "and then of the others");
    t.equal(await addressesSeen(lan, SERVER, ECHO, 12), RELAY);
    const rules = await home.must("ip", ["rule"]);
    for (const pref of ["1001", "2001", "2061", "2062"]) t.match(rules, new RegExp(`^${pref}:`, "m"), `rule ${pref} is there`);
    await remove(home);
    await home.ip(["rule del pref 1001", "rule del pref 2001", "rule del pref 2061", "rule del pref 2062"]);
    await lanesUsed(house, 3, 20_000);
  });

  await t.test("SYNs are dropped on one gateway: flows begin and go by the others, and it is told", async (t) => {
    await home.must("nft", ["-f", "-"], { input: outgoing(['oifname "binder-3" tcp flags & (syn | ack) == syn drop']) });
    const long = await Download.begin(house, "lan1", 60);
    for (let i = 0; i < 4; i += 1) {
      const { content, end } = await house.get(["--bytes", "20000", "--limit", "10"]);
      t.equal(`${content} ${end}`, "good complete");
    }
    await warned(/gateway 'gw3': .*can't be joined/, 45_000);
    const { content, end } = await long.enough();
    t.equal(`${content} ${end}`, "good time");
    await remove(home);
    await calm(/gateway 'gw3'/);
  });

  await t.test("MPTCP's options are taken away on one gateway: it is told, and connections begin elsewhere", async (t) => {
    await home.must("nft", ["-f", "-"], { input: outgoing(['oifname "binder-3" tcp flags & syn == syn reset tcp option mptcp']) });
    const running = house.get(["--seconds", "7"]);
    await warned(/gateway 'gw3': .*plain TCP/, 10_000);
    const { content, end } = await running;
    t.equal(`${content} ${end}`, "good time");
    const downloads = await Promise.all(Array.from({ length: 8 }, async () => await Download.begin(house, "lan1", 20)));
    const begun = await home.must("ss", ["-tnH", "state", "established", "src", "198.19.48.0/20", "dport", "=", ":2130"]);
    t.equal(begun, "", "none of eight connections begins on it");
    for (const download of downloads) t.equal((await download.enough()).content, "good");
    t.ok((await rateOf(5)) > 22e6, "the others carry together");
    await remove(home);
  });

  await t.test("on all gateways: traffic still flows, and it is told of all", async (t) => {
    await home.must("nft", ["-f", "-"], { input: outgoing(['oifname "binder-*" tcp flags & syn == syn reset tcp option mptcp']) });
    for (let i = 0; i < 3; i += 1) t.ok((await rateOf(2)) > 5e6);
    await warned(/plain TCP/, 10_000);
    await remove(home);
    t.ok((await rateOf(5)) > 40e6, "and together again, once they pass");
  });
});
