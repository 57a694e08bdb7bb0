/** What /etc/init.d/binder does to the daemon and to flows. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { type Test, test } from "../harness/index.ts";
import { binderConfig, ROUTER } from "./configuration.ts";
import { Opkg } from "./opkg.ts";
import { packIpk } from "./packages.ts";
import { Router, standIn } from "./router.ts";
import { readFileSync } from "node:fs";

const LANS = ["network 'lan'", "device 'br-guest'"];
const INIT = "/etc/init.d/binder";
const SNIPPET = "/tmp/guests.d/binder.conf";
const CLEANUP = "binder cleanup";

/** A router where Binder has been installed, configured and reloaded. */
async function running(t: Test): Promise<Router> {
  const router = await Router.boot(t, ROUTER);
  await new Opkg(router).install(await packIpk(readFileSync(await standIn())));
  router.write("/etc/config/binder", binderConfig(LANS));
  await router.run(`${INIT} reload`);
  router.news();
  return router;
}

test("it starts at boot, after network and firewall, and is kept running", async (t) => {
  const router = await Router.boot(t, ROUTER);
  await new Opkg(router).install(await packIpk(readFileSync(await standIn())));
  t.same(router.news().daemon, ["start"]);
  t.ok(router.has("/etc/rc.d/S90binder"));
  t.ok(router.has("/etc/rc.d/K10binder"));
  t.equal(router.procd.parameter("command"), "/usr/sbin/binder run");
  t.equal(router.procd.parameter("respawn"), "60 5 0", "however often it ends");
  t.equal(router.procd.parameter("stderr"), "1");
  t.same(router.procd.triggers, ["binder", "network", "firewall"]);
  await router.run(`${INIT} boot`);
  t.same(router.news().daemon, [], "the same daemon goes on");
});

test("reload tells the daemon, and ends nothing", async (t) => {
  const router = await running(t);
  t.equal((await router.run(`${INIT} reload`)).status, 0);
  t.same(router.news(), { calls: [], daemon: ["hup"] });
});

test("reload starts a daemon that is not there", async (t) => {
  const router = await running(t);
  router.check = { status: 3, text: "" };
  await router.run(`${INIT} stop`);
  await router.run(`${INIT} start`);
  t.same(router.news().daemon, ["term"], "a wrong configuration is not started");
  router.check = { status: 0, text: "" };
  await router.run(`${INIT} reload`);
  t.same(router.news().daemon, ["start"]);
});

test("restart begins the daemon anew, and cleans nothing up", async (t) => {
  const router = await running(t);
  t.equal((await router.run(`${INIT} restart`)).status, 0);
  const { calls, daemon } = router.news();
  t.same(daemon, ["term", "start"]);
  t.notOk(calls.includes(CLEANUP), "the data path stays");
  t.notOk(
    calls.some((call) => /^(firewall|dnsmasq)/.test(call)),
    "and so do firewall and names",
  );
});

test("restart with a wrong configuration leaves the daemon that works, and says what is wrong", async (t) => {
  const router = await running(t);
  router.check = { status: 3, text: "/etc/config/binder:7: no such option\n" };
  const { status, stderr } = await router.run(`${INIT} restart`);
  t.not(status, 0);
  t.match(stderr, /binder:7: no such option/);
  t.same(router.news().daemon, []);
});

test("a start with a wrong configuration says so, to the person and in the log", async (t) => {
  const router = await running(t);
  await router.run(`${INIT} stop`);
  router.news();
  router.check = { status: 3, text: "/etc/config/binder:7: no such option\n" };
  const { stderr } = await router.run(`${INIT} start`);
  t.match(stderr, /binder:7: no such option/);
  const { calls, daemon } = router.news();
  t.same(daemon, []);
  t.match(calls.join("\n"), /^logger -t binder -p daemon.err .*binder:7: no such option/m);
});

test("stop cleans up once the daemon has ended, and names are asked of the WANs' resolvers again", async (t) => {
  const router = await running(t);
  const daemon = spawn("sleep", ["60"]);
  const ended = once(daemon, "exit");
  router.write("/var/run/binder.pid", `${String(daemon.pid)}\n`);
  router.procd.onTerm = () => {
    setTimeout(() => daemon.kill(), 300);
  };
  let alive: boolean | undefined;
  router.onCall = (call) => {
    if (call === CLEANUP) alive = daemon.exitCode === null && daemon.signalCode === null;
  };
  t.ok(router.has(SNIPPET));
  t.equal((await router.run(`${INIT} stop`)).status, 0);
  await ended;
  t.equal(alive, false, "cleaned up after it");
  const { calls } = router.news();
  t.same(calls, [CLEANUP, "dnsmasq restart"]);
  t.notOk(router.has(SNIPPET));
  t.notOk(router.has("/var/run/dnsmasq/binder.servers"));
  await router.run(`${INIT} stop`);
  t.same(router.news().calls, [CLEANUP], "again, it finds nothing");
});

test("option enabled '0' and a reload are a stop", async (t) => {
  const router = await running(t);
  router.write("/etc/config/binder", binderConfig(LANS, "0"));
  await router.run(`${INIT} reload`);
  const { calls, daemon } = router.news();
  t.same(daemon, ["term"]);
  t.ok(calls.includes(CLEANUP));
  await router.run(`${INIT} restart`);
  const { stdout } = await router.run(`${INIT} start`);
  t.match(stdout, /enabled is 0/);
  t.same(router.news().daemon, []);
});

test("a machine that goes down is not cleaned up first", async (t) => {
  const router = await running(t);
  await router.run(`${INIT} shutdown`);
  t.same(router.news(), { calls: [], daemon: ["term"] });
});
