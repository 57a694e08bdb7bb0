/** Gateways and a LAN by netifd's names: no device and no address in the configuration. */
import { execFile } from "node:child_process";
import { rmSync } from "node:fs";
import { promisify } from "node:util";
import { test } from "../harness/index.ts";
import { defaultBy, down, up } from "../netifd/dump.ts";
import { projectRoot, type Running } from "../testbed/index.ts";
import type { UbusInputTable } from "../../src/ubus-client/index.ts";
import { lanesUsed, reconfigure } from "./capture.ts";
import { BINDER, Household, until } from "./household.ts";

const MEGA = 1e6;
const gateways = [
  { rate: 10 * MEGA, delay: 5, attach: "wan" },
  { rate: 10 * MEGA, delay: 10, attach: "wan" },
] as const;
const NETIFD = `${projectRoot}/build/test/netifd-serve`;
const DUMP = "/tmp/networks.json";
const JAILED = "/var/run/dnsmasq/binder.servers";

const hop = (number: number, last = 1): string => `192.168.${String(10 + number)}.${String(last)}`;
const wan = (number: number, last = 1): UbusInputTable =>
  up(`wan${String(number)}`, {
    device: `wan${String(number)}`,
    address: [hop(number, 100), 24],
    routes: [defaultBy(hop(number, last))],
    resolvers: [hop(number, last)],
  });
const lan = up("lan", { device: "br-lan", l3: "lan0", proto: "static", address: ["192.168.1.1", 24] });

test("gateways and LANs by the names of networks", { timeout: 240_000 }, async (t) => {
  await promisify(execFile)(process.execPath, [`${projectRoot}/scripts/build.mjs`, "node", "test/netifd/serve.ts", NETIFD]);
  const house = await Household.create({ gateways, homeDefault: 1 });
  t.teardown(async () => {
    await house.close();
    for (const path of [NETIFD, `${NETIFD}.meta.json`]) rmSync(path, { force: true });
  });
  const home = house.node("home");
  await lanesUsed(house, 2);
  const byDevice = await home.read("/etc/config/binder");
  const byNetwork = byDevice
    .replace(/\toption device 'wan(.)'\n\toption via '[^']*'\n/g, "\toption network 'wan$1'\n")
    .replace("option device 'lan0'", "option network 'lan'");
  const startNetifd = async (): Promise<Running> => {
    const netifd = home.start(NETIFD, [DUMP]);
    await netifd.line(/^listening/);
    return netifd;
  };
  const write = async (...networks: readonly UbusInputTable[]): Promise<void> => await home.write(DUMP, JSON.stringify(networks));
  const pids = async (): Promise<string> => {
    const records = await home.must("sh", ["-c", "cat /run/binder/processes/lane-*.json"]);
    return [...records.matchAll(/"pid":(\d+)/g)].map(([, pid]) => pid).join();
  };
  const carries = async (lanes: number): Promise<void> => {
    const { bps, content } = await house.get(["--seconds", "3"]);
    t.equal(content, "good");
    t.ok(bps > (lanes === 2 ? 12 : 6) * MEGA && (lanes === 2 || bps < 11 * MEGA), `${(bps / MEGA).toFixed(1)} Mbit/s by ${String(lanes)}`);
  };
  const before = await pids();
  await write(wan(1), wan(2), lan);
  let netifd = await startNetifd();

  await t.test("they are found, and lanes that are there stay", async (t) => {
    await reconfigure(house, byNetwork, "");
    await house.lanesUp(2);
    t.equal(await pids(), before);
    await carries(2);
  });

  await t.test("a dnsmasq in its jail has its servers, and is told by procd", async (t) => {
    await home.must("mkdir", ["-p", "/var/run/dnsmasq"]);
    await home.write(JAILED, "");
    await reconfigure(house, byNetwork, "");
    await until("dnsmasq is told", 10_000, async () => Promise.resolve(netifd.lines.includes('signal 1 to "dnsmasq"') ? true : undefined));
    t.match(await home.read(JAILED), /^server=/);
    t.equal(await home.read(JAILED), await home.read("/run/binder/servers"));
  });

  await t.test("another next hop is taken up, and the other gateway carries on", async (t) => {
    const running = house.get(["--seconds", "8"]);
    await house.node("gw1").ip([`address del ${hop(1)}/24 dev home0`, `address add ${hop(1, 2)}/24 dev home0`]);
    await write(wan(1, 2), wan(2), lan);
    netifd.kill("SIGHUP");
    await until("the route is by it", 5_000, async () => {
      const routes = await home.must("ip", ["route", "show", "table", "all", "default"]);
      return routes.includes(`via ${hop(1, 2)} dev wan1`) ? true : undefined;
    });
    const { content, end } = await running;
    t.equal(`${content} ${end}`, "good time");
    await lanesUsed(house, 2, 20_000);
    t.equal(await pids(), before);
  });

  await t.test("a network that goes down takes its gateway along, and brings it back", async (t) => {
    await home.ip(["link set wan2 down"]);
    await write(wan(1, 2), down("wan2"), lan);
    netifd.kill("SIGHUP");
    await house.lanesUp(1);
    await carries(1);
    await home.ip(["link set wan2 up"]);
    await write(wan(1, 2), wan(2), lan);
    netifd.kill("SIGHUP");
    await house.lanesUp(2);
    t.equal(await pids(), before);
    await carries(2);
  });

  await t.test("one that is not there is said, and its coming heard", async (t) => {
    await reconfigure(house, byNetwork.replace("option network 'wan2'", "option network 'wan3'"), "");
    const status = await house.lanesUp(1);
    t.match(status.gateways.find(({ number }) => number === 2)?.reason, /there is no network 'wan3' in \/etc\/config\/network/);
    await write(wan(1, 2), { ...wan(2), interface: "wan3" }, lan);
    netifd.kill("SIGHUP");
    await house.lanesUp(2);
  });

  await t.test("without ubus the next daemon adopts what was known; with it all goes on", async (t) => {
    await write(wan(1, 2), wan(2), lan);
    netifd.kill("SIGHUP");
    await reconfigure(house, byNetwork, "");
    await house.lanesUp(2);
    const known = await pids();
    const running = house.get(["--seconds", "8"]);
    netifd.kill("SIGTERM");
    await netifd.exit;
    house.homeDaemon.kill("SIGKILL");
    await house.homeDaemon.exit;
    house.homeDaemon = home.start(BINDER, ["run"]);
    await house.lanesUp(2);
    const { content, end } = await running;
    t.equal(`${content} ${end}`, "good time");
    t.equal(await pids(), known);
    netifd = await startNetifd();
    await write(wan(1, 2), down("wan2"), lan);
    await home.ip(["link set wan2 down"]);
    await house.lanesUp(1);
    await home.ip(["link set wan2 up"]);
    await house.lanesUp(2);
  });

  await t.test("stop leaves nothing of it", async (t) => {
    await home.must(BINDER, ["stop"], { limit: 20_000 });
    t.equal(await house.homeDaemon.exit, 0);
    const left = await home.must("find", ["/run/binder", "-mindepth", "1", "!", "-path", "/run/binder/log*"]);
    t.equal(left.trim(), "/run/binder/servers", "which a dnsmasq that runs would miss");
    t.equal(await home.read("/run/binder/servers"), "");
    t.equal(await home.read(JAILED), "");
  });
});
