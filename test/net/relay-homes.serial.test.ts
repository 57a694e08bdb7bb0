/** Homes come, go and change keys at a relay while others download through it; what a relay runs as, and what its restart costs. */
import { test } from "../harness/index.ts";
import { compiled, type TestNode } from "../testbed/index.ts";
import { BINDER, Household, PORT, SERVER, type Status, until } from "./household.ts";
import { Download, listed, nothingLeft, processes, relayRuns, programs } from "./relay.ts";

interface RelayStatus {
  readonly homes: readonly { readonly name: string; readonly number: number; readonly lanes: readonly number[] }[];
  readonly warnings: readonly string[];
}

const RATE = 20e6;

async function relayStatus(house: Household): Promise<RelayStatus> {
  return JSON.parse(await house.node("relay").must(BINDER, ["status", "--json"])) as RelayStatus;
}

async function homeStatus(house: Household, name: string): Promise<Status> {
  return JSON.parse(await house.node(name).must(BINDER, ["status", "--json"])) as Status;
}

async function accountOf(node: TestNode, name: string): Promise<number> {
  return Number((await node.must("id", ["-u", name])).trim());
}

/** Files that anybody but root can read, with private keys in them. */
async function keysInTheOpen(node: TestNode): Promise<string> {
  const look =
    "find /run/binder /etc/binder /etc/config -type f -perm /044 -exec grep -lE 'PRIVATE KEY|OpenVPN (static|tls-crypt)|binder://v1/' {} +";
  return (await node.run("sh", ["-c", look])).stdout;
}

/** The lines of OpenVPN's logs that say why it stopped. */
const assertions = (log: string): string =>
  log
    .split("\n")
    .filter((line) => /Assertion failed|fatal error/.test(line))
    .join("\n");

test("homes at one relay", { timeout: 240_000 }, async (t) => {
  const house = await Household.create({
    gateways: [
      { rate: RATE, delay: 5 },
      { rate: RATE, delay: 10 },
    ],
    homes: 3,
  });
  t.teardown(async () => {
    await house.close();
  });
  const relay = house.node("relay");
  await house.settle("home2");
  await house.settle("home3");

  await t.test("three homes are live at once, and all download", async (t) => {
    for (const home of ["home", "home2", "home3"]) await house.lanesUp(2, 30_000, home);
    const hosts = ["lan1", "home2-lan", "home3-lan"];
    const results = await Promise.all(
      hosts.map(async (host) => await house.flow(["get", "--to", SERVER, "--port", String(PORT), "--seconds", "2"], 30_000, host)),
    );
    for (const [index, { content, end, bytes }] of results.entries()) {
      t.same([content, end], ["good", "time"], `${hosts[index] ?? ""}: every byte is right`);
      t.ok(bytes > 500_000, `${hosts[index] ?? ""}: ${String(bytes)} bytes`);
    }
    const { homes } = await relayStatus(house);
    t.same(
      homes.map(({ name, number, lanes }) => [name, number, lanes]),
      [
        ["farm", 2, [1, 2]],
        ["home2", 3, [1, 2]],
        ["home3", 4, [1, 2]],
      ],
    );
  });

  await t.test("no program of the relay but its daemon is root, and no key is in the open", async (t) => {
    const [vpn, proxy] = [await accountOf(relay, "binder-vpn"), await accountOf(relay, "binder-proxy")];
    const all = await processes(relay);
    const users = (name: string): readonly number[] => all.filter((process) => process.name === name).map(({ uid }) => uid);
    t.same(users("openvpn"), Array<number>(8).fill(vpn), "OpenVPN's servers are binder-vpn");
    t.same(users("haproxy"), [proxy], "HAProxy is binder-proxy");
    t.ok(users("dnsmasq").length > 0 && !users("dnsmasq").includes(0), "the resolver is not root");
    const started = new Set(Object.values(await programs(relay)));
    t.equal(started.size, 10, "eight servers, HAProxy and the resolver");
    t.same(
      all.filter(({ pid, uid }) => started.has(pid) && uid === 0),
      [],
      "nothing that Binder started is root",
    );
    const helpers = all.filter(({ uid, arguments: words }) => uid === 0 && /^ip .*monitor/.test(words));
    const daemon = all.filter(({ uid, arguments: words }) => uid === 0 && /build\/binder relay run/.test(words));
    t.ok(daemon.length > 0, "the daemon is seen, so the others would be");
    t.comment(`${String(helpers.length)} watchers of the kernel are the daemon's own`);
    for (const name of ["relay", "home", "home2"]) {
      const node = house.node(name);
      t.equal(await keysInTheOpen(node), "", `${name}: no file that others can read has a key`);
      const keys = await node.must("find", ["/etc/binder", "-name", "*.key", "-not", "-perm", "600"]);
      t.equal(keys, "", `${name}: keys are 0600`);
      t.not(await node.must("find", ["/etc/binder", "-name", "*.key"]), "", `${name}: there are keys`);
      const words = (await processes(node)).map((process) => process.arguments).join("\n");
      t.notMatch(words, /PRIVATE KEY|binder:\/\/v1|[A-Za-z0-9+/]{60}/, `${name}: no key is an argument`);
      const secret = (await node.must("sh", ["-c", "sed -n 2p $(find /etc/binder -name '*.key' | head -1)"])).trim();
      t.ok(secret.length > 20, `${name}: a key's text to look for`);
      t.equal((await node.run("grep", ["-rlF", secret, "/run/binder"])).stdout, "", `${name}: it is in no log, record or configuration`);
      const said = `${await node.must(BINDER, ["status", "--json"])}${await node.must(BINDER, ["status"])}`;
      t.notOk(said.includes(secret), `${name}: nor in the status`);
    }
    t.notMatch(house.homeDaemon.stderr + house.relayDaemon.stderr, /PRIVATE KEY|binder:\/\/v1/, "no daemon told one");
  });

  await t.test("an invite that is joined twice changes nothing the second time", async (t) => {
    const invite = await relay.must(BINDER, ["relay", "add-home", "cabin"]);
    const home3 = house.node("lan1");
    await home3.must(BINDER, ["join", "-"], { input: invite });
    const files = async (): Promise<string> =>
      await home3.must("sh", ["-c", "find /etc/binder /etc/config -type f | sort | xargs sha256sum; stat -c '%n %Y %i' /etc/binder/*/*"]);
    const before = await files();
    t.match(await home3.must(BINDER, ["join", "-"], { input: invite }), /nothing changed/);
    t.equal(await files(), before);
    await relay.must(BINDER, ["relay", "remove-home", "cabin"]);
    await home3.must("rm", ["-r", "/etc/binder", "/etc/config/binder"]);
  });

  await t.test("a home that is removed is off within five seconds and stays off; its neighbour downloads on", async (t) => {
    const neighbour = await Download.begin(house, "home2-lan", 9);
    const leaver = await Download.begin(house, "home3-lan", 60);
    const call = house
      .node("home3-lan")
      .start(await compiled("flow"), [
        ...["udp", "--to", SERVER, "--port", String(PORT), "--rate", "200000", "--seconds", "60", "--interval", "100"],
      ]);
    await until("the relay carries the call", 5_000, async () =>
      (await relay.run("conntrack", ["-L", "-s", "198.19.0.4"])).stdout.includes("udp") ? true : undefined,
    );
    const pids = await programs(relay);
    const begun = performance.now();
    await relay.must(BINDER, ["relay", "remove-home", "home3"]);
    await until("nothing of the home is left", 5_000 - (performance.now() - begun), async () => {
      const flows = (await relay.run("conntrack", ["-L"])).stdout
        .split("\n")
        .filter((line) => /src=198\.19\.\d+\.4 /.test(line) && !/TIME_WAIT|CLOSE/.test(line));
      const sockets = (await relay.must("ss", ["-Htn", "state", "established"]))
        .split("\n")
        .filter((line) => /198\.19\.\d+\.4:/.test(line));
      return flows.length + sockets.length === 0 ? true : undefined;
    });
    const bytes = leaver.bytes;
    const seen = (await house.node("server").counters("eth0")).rxPackets;
    t.comment(`off after ${((performance.now() - begun) / 1000).toFixed(1)} s`);
    // Long enough for the home to try again by every lane.
    t.not((await house.get(["--seconds", "2"])).bytes, 0, "the first home is served");
    t.ok(seen > 0);
    t.equal(leaver.bytes, bytes, "its download stands still");
    const { homes } = await relayStatus(house);
    t.notOk(homes.some(({ name }) => name === "home3"));
    t.same(await programs(relay), pids, "no program of the relay was started anew");
    t.equal(assertions(await relay.must("sh", ["-c", "cat /run/binder/log/relay-lane-*.log"])), "", "no OpenVPN failed");
    const { content, end, bps } = await neighbour.result();
    t.same([content, end], ["good", "time"], "the neighbour's bytes are right");
    t.ok(bps > RATE / 10, `the neighbour had ${(bps / 1e6).toFixed(1)} Mbit/s`);
    await leaver.end();
    await call.end();
    const { rested } = await listed(house);
    t.ok(
      rested.some(({ number }) => number === 4),
      "its number rests",
    );
    t.equal((await homeStatus(house, "home3")).gateways.filter(({ state }) => state === "up").length, 0, "its lanes are down");
  });

  await t.test("a relay that is killed and started again goes on with the same programs, and a download with it", async (t) => {
    const download = await Download.begin(house, "lan1", 6);
    const pids = await programs(relay);
    const watch = relay.start("ip", ["monitor", "route"]);
    house.relayDaemon.kill("SIGKILL");
    await house.relayDaemon.exit;
    house.relayDaemon = relay.start(BINDER, ["relay", "run"]);
    await relayRuns(relay);
    const routes = await relay.must("ip", ["route", "show", "table", "21300"]);
    t.match(routes, /^198\.19\.0\.2 /m, "it keeps the way of replies, without a word of the home");
    const { content, end, bps } = await download.result();
    await watch.end();
    t.same(
      watch.lines.filter((line) => /^Deleted 198\.19\.0\.2 /.test(line)),
      [],
      "not even for a moment was there none",
    );
    t.same([content, end], ["good", "time"]);
    t.ok(bps > RATE / 4, `${(bps / 1e6).toFixed(1)} Mbit/s`);
    t.same(await programs(relay), pids, "OpenVPN, HAProxy and the resolver are the same");
    t.equal((await homeStatus(house, "home3")).gateways.filter(({ state }) => state === "up").length, 0, "the removed home stays off");
  });

  await t.test("a lane's device that somebody removes at the relay is back, and the lane carries again", async (t) => {
    const index = async (): Promise<string> => await relay.must("cat", ["/sys/class/net/binder-l1/ifindex"]);
    const before = await index();
    await relay.must("ip", ["link", "del", "binder-l1"]);
    await until("the device is back", 10_000, async () => {
      const { status, stdout } = await relay.run("cat", ["/sys/class/net/binder-l1/ifindex"]);
      return status === 0 && stdout !== before ? true : undefined;
    });
    const answered = await until("the lane answers again", 30_000, async () => {
      const ping = ["-c", "1", "-W", "1", "-I", "198.19.16.2", "198.19.0.1"];
      return (await house.node("home").run("ping", ping)).status === 0 ? true : undefined;
    });
    t.ok(answered);
  });

  await t.test("SIGTERM leaves the data path; what was removed meanwhile is put off by the next daemon", async (t) => {
    const download = await Download.begin(house, "lan1", 7);
    house.relayDaemon.kill("SIGTERM");
    t.equal(await house.relayDaemon.exit, 0);
    const leaver = await Download.begin(house, "home2-lan", 60);
    await relay.must(BINDER, ["relay", "remove-home", "home2"]);
    const begun = performance.now();
    house.relayDaemon = relay.start(BINDER, ["relay", "run"]);
    await until("its connections end", 5_000, async () =>
      /198\.19\.\d+\.3:/.test(await relay.must("ss", ["-Htn", "state", "established"])) ? undefined : true,
    );
    t.comment(`off after ${((performance.now() - begun) / 1000).toFixed(1)} s`);
    // What was on its way still comes; in the interval of a report or two all of it has.
    let bytes = -1;
    await until("what was on its way has come", 5_000, async () => {
      const before = leaver.bytes;
      await new Promise((resolve) => setTimeout(resolve, 500));
      bytes = leaver.bytes;
      return bytes === before ? true : undefined;
    });
    const { content, end } = await download.result();
    t.same([content, end], ["good", "time"], "the other home's download went on all the time");
    t.equal(leaver.bytes, bytes, "the removed home's stands still");
    await leaver.end();
  });

  await t.test("a home with a new key is served; its old invite is not", async (t) => {
    const invite = await relay.must(BINDER, ["relay", "rekey", "farm"]);
    await until("the old key is refused", 15_000, async () =>
      (await house.status()).gateways.every(({ state }) => state !== "up") ? true : undefined,
    );
    await until("the home says that it is refused", 30_000, async () =>
      (await house.status()).gateways.some(({ advice }) => /refuses this home/.test(advice)) ? true : undefined,
    );
    await house.node("home").must(BINDER, ["join", "-"], { input: invite });
    await house.lanesUp(2, 40_000);
    t.equal((await house.get(["--seconds", "1"])).content, "good");
    t.equal((await listed(house)).homes.find(({ name }) => name === "farm")?.number, 2, "the number stays");
  });

  await t.test("an invite that two routers use is told at both ends", async (t) => {
    const home = house.node("home");
    const other = house.node("home3");
    await other.must(BINDER, ["stop"]);
    const archive = await home.must("sh", ["-c", "tar -C /etc -c binder | base64"]);
    await other.must("sh", ["-c", "base64 -d | tar -C /etc -x"], { input: archive });
    other.start(BINDER, ["run"]);
    await until("the relay tells", 60_000, async () =>
      (await relayStatus(house)).warnings.some((warning) => /farm.*two routers/.test(warning)) ? true : undefined,
    );
    await until("a home tells", 60_000, async () => {
      const told = [...(await house.status()).warnings, ...(await homeStatus(house, "home3")).warnings];
      return told.some((warning) => /same invite/.test(warning)) ? true : undefined;
    });
    t.pass("both do");
    await other.must(BINDER, ["stop"]);
  });

  await t.test("binder stop at the relay leaves nothing", async (t) => {
    await relay.must(BINDER, ["stop"]);
    await nothingLeft(t, relay);
  });
});
