/** A router that runs out of something, or whose clock jumps: the household's transfers go on. */
import { test } from "../harness/index.ts";
import type { Running } from "../testbed/index.ts";
import { lanesUsed } from "./capture.ts";
import { BINDER, Household, type Status, until } from "./household.ts";
import { processes } from "./relay.ts";
import { longestStall, rateBetween, Timeline } from "./timeline.ts";

const gateways = [
  { rate: 20e6, delay: 10 },
  { rate: 10e6, delay: 20 },
  { rate: 30e6, delay: 5 },
] as const;
const CLOCK = "/etc/clock";
/** Of Linux: the least that pid_max can be. */
const LEAST_PIDS = 301;

test("a router in hard times", { timeout: 300_000 }, async (t) => {
  const house = await Household.create({ gateways });
  t.teardown(async () => {
    await house.close();
  });
  const home = house.node("home");
  await lanesUsed(house, 3);
  const statusOf = async (): Promise<Status | undefined> => {
    const { status, stdout } = await home.run(BINDER, ["status", "--json"]);
    return status === 0 ? (JSON.parse(stdout) as Status) : undefined;
  };
  const begin = async (start: () => Running): Promise<void> => {
    house.homeDaemon = start();
    await until("the daemon answers", 20_000, statusOf);
  };
  const carriesAll = async (timeline: Timeline, from: number, to: number, share = 0.75): Promise<void> => {
    const rate = rateBetween(timeline.points, from, to);
    t.ok(rate > share * 56e6, `${(rate / 1e6).toFixed(1)} Mbit/s of all gateways' 56`);
    await Promise.resolve();
  };
  const programsOf = async (): Promise<readonly string[]> =>
    (await processes(home)).filter(({ name }) => name === "openvpn" || name === "haproxy").map(({ name, pid }) => `${name} ${String(pid)}`);

  for (const signal of ["SIGKILL", "SIGTERM"] as const) {
    await t.test(`the daemon ends by ${signal} and is started again: the download does not notice`, async (t) => {
      const before = await programsOf();
      const timeline = await Timeline.start(house, "get", 9);
      const from = await timeline.passed(3_000);
      house.homeDaemon.kill(signal);
      await house.homeDaemon.exit;
      await timeline.passed(from + 1_500);
      await begin(() => home.start(BINDER, ["run"]));
      const { content, end } = await timeline.result();
      t.equal(`${content} ${end}`, "good time");
      const stall = longestStall(timeline.points, from - 20, 9_000);
      const usual = longestStall(timeline.points, 1_500, from - 20);
      t.comment(`longest time without a byte: ${stall.toFixed(0)} ms, before ${usual.toFixed(0)} ms`);
      t.ok(stall < usual + 300, `${stall.toFixed(0)} ms`);
      await carriesAll(timeline, from, 8_900);
      t.same(await programsOf(), before, "OpenVPN and HAProxy are the same");
    });
  }

  await t.test("a gateway dies while no daemon runs: the next one sees it", async (t) => {
    const timeline = await Timeline.start(house, "get", 12);
    await timeline.passed(2_000);
    house.homeDaemon.kill("SIGKILL");
    await house.homeDaemon.exit;
    await house.testbed.link(3).cut();
    await begin(() => home.start(BINDER, ["run"]));
    await house.lanesUp(2, 10_000);
    const from = timeline.now;
    await timeline.passed(from + 2_000);
    await house.testbed.link(3).mend();
    const { content, end } = await timeline.result();
    t.equal(`${content} ${end}`, "good time");
    t.ok(rateBetween(timeline.points, from, from + 2_000) > 18e6, "by the others");
    await house.lanesUp(3, 20_000);
  });

  await t.test("memory for files is full: nothing that runs ends, and a daemon that starts then works", async (t) => {
    const timeline = await Timeline.start(house, "get", 10);
    await timeline.passed(2_000);
    for (const folder of ["/run", "/tmp"]) {
      const used = (await home.must("du", ["-sk", folder])).split("\t")[0] ?? "0";
      await home.must("mount", ["-o", `remount,size=${String(Number(used) + 64)}k`, folder]);
      await home.run("sh", ["-c", `cat /dev/zero >${folder}/full; true`]);
    }
    house.homeDaemon.kill("SIGHUP");
    await house.testbed.link(3).cut();
    await house.lanesUp(2, 10_000);
    await house.testbed.link(3).mend();
    await house.lanesUp(3, 15_000);
    house.homeDaemon.kill("SIGKILL");
    await house.homeDaemon.exit;
    await begin(() => home.start(BINDER, ["run"]));
    await house.lanesUp(3, 15_000);
    const { content, end } = await timeline.result();
    t.equal(`${content} ${end}`, "good time");
    for (const folder of ["/run", "/tmp"]) {
      await home.must("rm", [`${folder}/full`]);
      await home.must("mount", ["-o", "remount,size=0", folder]);
    }
    t.equal((await house.get(["--bytes", "100000"])).content, "good");
    await house.lanesUp(3, 15_000);
  });

  await t.test("no process can be started: what runs goes on, and all is well afterwards", async (t) => {
    const timeline = await Timeline.start(house, "get", 10);
    await timeline.passed(2_000);
    const former = (await home.read("/proc/sys/kernel/pid_max")).trim();
    const sleepers = home.start("sh", [
      "-c",
      `while :; do sleep 60 & [ $! -gt 0 ] || break; [ "$(ls -d /proc/[0-9]* | wc -l)" -ge ${String(LEAST_PIDS - 12)} ] && break; done; echo full; wait`,
    ]);
    await sleepers.line(/full/, 20_000);
    await home.sysctl({ "kernel.pid_max": LEAST_PIDS });
    const from = timeline.now;
    await house.testbed.link(3).cut();
    await timeline.passed(from + 3_000);
    const rate = rateBetween(timeline.points, from + 1_500, from + 3_000);
    t.comment(`${(rate / 1e6).toFixed(1)} Mbit/s`);
    await home.sysctl({ "kernel.pid_max": former });
    await sleepers.end();
    await house.testbed.link(3).mend();
    const { content, end } = await timeline.result();
    t.equal(`${content} ${end}`, "good time");
    await house.lanesUp(3, 20_000);
    t.equal((await house.get(["--bytes", "100000"])).content, "good");
  });

  await t.test("others take the processor: no gateway is taken for dead, and each of many downloads comes", async (t) => {
    const from = house.homeDaemon.stderr.length;
    const others = Array.from({ length: 12 }, () => home.start("sh", ["-c", "while :; do :; done"]));
    const { bytes } = await house.get(["--bytes", "100000", "--parallel", "100", "--limit", "60"], 90_000);
    for (const other of others) await other.end();
    t.equal(bytes, 100 * 100_000);
    const fell = house.homeDaemon.stderr
      .slice(from)
      .split("\n")
      .filter((line) => /: (suspect|down)/.test(line));
    t.same(fell, []);
  });

  await t.test("the clock jumps a day, forth and back", async (t) => {
    await home.must(BINDER, ["stop"], { limit: 20_000 });
    await house.homeDaemon.exit;
    await home.write(CLOCK, "+0\n");
    const faked = ["LD_PRELOAD=/usr/$LIB/faketime/libfaketimeMT.so.1", `FAKETIME_TIMESTAMP_FILE=${CLOCK}`];
    const settings = ["FAKETIME_CACHE_DURATION=1", "FAKETIME_DONT_FAKE_MONOTONIC=1"];
    await begin(() => home.start("env", [...faked, ...settings, BINDER, "run"]));
    await lanesUsed(house, 3);
    const timeline = await Timeline.start(house, "get", 10);
    await timeline.passed(2_000);
    await home.write(CLOCK, "+1d\n");
    await timeline.passed(5_000);
    await home.write(CLOCK, "-1d\n");
    const { content, end } = await timeline.result();
    t.equal(`${content} ${end}`, "good time");
    await carriesAll(timeline, 2_500, 9_900);
    const status = await statusOf();
    t.ok(
      status?.gateways.every(({ state, since }) => state === "up" && since >= 10 && since < 200),
      JSON.stringify(status?.gateways),
    );
    await house.testbed.link(3).cut();
    const download = house.get(["--seconds", "4"]);
    await house.lanesUp(2, 10_000);
    t.equal((await download).content, "good", "and a fault is seen by it");
    await house.testbed.link(3).mend();
    await house.lanesUp(3, 15_000);
  });
});
