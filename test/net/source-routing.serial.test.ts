import { test } from "../harness/index.ts";
import { compiled, type Running, type TestNode } from "../testbed/index.ts";
import { BINDER, Household, PORT, SERVER, type Status, until } from "./household.ts";

/** Two neighbours on the mesh, behind one interface and one address; two sticks that both call themselves 192.168.8.1. */
const gateways = [
  { rate: 6e6, delay: 5 },
  { rate: 6e6, delay: 20 },
  { rate: 6e6, delay: 35, attach: "wan", address: "192.168.8.1" },
  { rate: 6e6, delay: 50, attach: "wan", address: "192.168.8.1" },
] as const;

/** What others than Binder have set up at home: all of it must outlive Binder. */
const foreign: readonly (readonly [string, readonly string[], RegExp])[] = [
  ["ip", ["rule", "show"], /^600:\tfrom all fwmark 0x77 lookup 77 *$/m],
  ["ip", ["route", "show", "table", "77"], /^blackhole 203\.0\.113\.0\/24/m],
  ["ip", ["route", "show", "table", "21305"], /^blackhole 203\.0\.113\.0\/24/m],
  ["ip", ["address", "show", "dev", "lo"], /inet 172\.31\.7\.7\/32/],
  ["ip", ["mptcp", "endpoint", "show"], /172\.31\.7\.7 /],
  ["nft", ["list", "tables"], /table inet neighbour/],
];

async function setUpForeign(home: TestNode): Promise<void> {
  await home.ip([
    "rule add pref 600 fwmark 0x77 lookup 77",
    "route add blackhole 203.0.113.0/24 table 77",
    "route add blackhole 203.0.113.0/24 table 21305",
    "address add 172.31.7.7/32 dev lo",
    "mptcp endpoint add 172.31.7.7 id 99 signal",
  ]);
  await home.must("nft", ["-f", "-"], {
    input: 'table inet neighbour { chain count { type filter hook forward priority 10; ct state new counter comment "foreign"; }; }',
  });
}

/** Keys of the machine as a whole that change by themselves. */
const restless =
  /^(fs|vm|dev|user|debug|abi|kernel\.(random|ns_last_pid|pty|perf|sched|threads|tainted|numa))\b|nf_conntrack_count|nf_conntrack_max/;

async function sysctls(home: TestNode): Promise<readonly string[]> {
  const { stdout } = await home.run("sysctl", ["-a"]);
  return stdout
    .split("\n")
    .filter((line) => line !== "" && !restless.test(line))
    .sort();
}

/** All that Binder may have in this machine's kernel or in /run. */
async function remains(home: TestNode): Promise<string> {
  const seen = [
    (await home.must("ip", ["-N", "-d", "rule"]))
      .split("\n")
      .filter((line) => line.includes("proto 213"))
      .join("\n"),
    await home.must("ip", ["-N", "route", "show", "table", "all", "proto", "213"]),
    (await home.must("ip", ["-o", "link"]))
      .split("\n")
      .filter((line) => line.includes("binder-"))
      .join("\n"),
    (await home.must("ip", ["-o", "address"]))
      .split("\n")
      .filter((line) => /198\.1[89]\./.test(line))
      .join("\n"),
    (await home.must("ip", ["mptcp", "endpoint"]))
      .split("\n")
      .filter((line) => line.includes("198.19."))
      .join("\n"),
    (await home.must("nft", ["list", "tables"]))
      .split("\n")
      .filter((line) => line.includes("binder"))
      .join("\n"),
    (await home.must("find", ["/run/binder", "-mindepth", "1", "!", "-path", "/run/binder/log*"])).trim(),
    (await processes(home)).map(({ name, pid }) => `${name} ${String(pid)}`).join("\n"),
  ];
  return seen.filter((text) => text.trim() !== "").join("\n");
}

interface Child {
  readonly name: string;
  readonly pid: number;
}

/** The programs that move bytes, as the node's own /proc shows them. */
async function processes(home: TestNode): Promise<readonly Child[]> {
  const { stdout } = await home.run("ps", ["-eo", "pid=,comm=,args="]);
  return stdout.split("\n").flatMap((line) => {
    const [, pid = "", name = "", args = ""] = /^ *([0-9]+) (\S+) +(.*)$/.exec(line) ?? [];
    return ["openvpn", "haproxy"].includes(name)
      ? [{ name: `${name} ${/(lane-[0-9]+)\.conf/.exec(args)?.[1] ?? ""}`.trim(), pid: Number(pid) }]
      : [];
  });
}

const pidsOf = (children: readonly Child[]): string =>
  children
    .map(({ name, pid }) => `${name}=${String(pid)}`)
    .sort()
    .join(" ");

/** A download that goes on while things happen, until {@link endOf} ends it; its content is checked there. */
async function transfer(house: Household): Promise<Running> {
  const running = house
    .node("lan1")
    .start(await compiled("flow"), ["get", "--to", SERVER, "--port", String(PORT), "--seconds", "120", "--interval", "200"]);
  await running.line(/"at"/);
  return running;
}

/** Bytes so far, by the lines that the transfer prints. */
function bytesSoFar(running: Running): number {
  const line = running.lines.findLast((text) => text.startsWith('{"at"')) ?? "{}";
  const value = JSON.parse(line) as { bytes?: number };
  return value.bytes ?? 0;
}

async function movesOn(what: string, running: Running, limit = 10_000): Promise<void> {
  const before = bytesSoFar(running);
  await until(`${what}: the transfer goes on`, limit, () => Promise.resolve(bytesSoFar(running) > before + 200_000 ? true : undefined));
}

async function endOf(running: Running): Promise<{ readonly content: string; readonly end: string; readonly bps: number }> {
  running.kill("SIGINT");
  await running.exit;
  return JSON.parse(running.lines.at(-1) ?? "{}") as { content: string; end: string; bps: number };
}

async function statusOf(house: Household): Promise<Status | undefined> {
  const { status, stdout } = await house.node("home").run(BINDER, ["status", "--json"]);
  return status === 0 ? (JSON.parse(stdout) as Status) : undefined;
}

async function runAgain(house: Household): Promise<void> {
  house.homeDaemon = house.node("home").start(BINDER, ["run"]);
  await until("the daemon answers", 10_000, async () => await statusOf(house));
}

test("a household's gateways, behind one interface and behind several", { timeout: 300_000 }, async (t) => {
  let before: readonly string[] = [];
  const house = await Household.create(
    { gateways, tcp: { receiveBuffer: 1 << 20 } },
    {
      extraConfig: "config gateway 'stick'\n\toption network 'wwan'\n",
      beforeBinder: async (testbed) => {
        await setUpForeign(testbed.node("home"));
        before = await sysctls(testbed.node("home"));
        for (const number of [1, 2, 3, 4]) {
          const counters = [1, 2, 3, 4].map((lane) => `udp dport ${String(21300 + lane)} counter name lane${String(lane)};`).join(" ");
          const names = [1, 2, 3, 4].map((lane) => `counter lane${String(lane)} {};`).join(" ");
          await testbed.node(`gw${String(number)}`).must("nft", ["-f", "-"], {
            input: `table ip seen { ${names} chain forward { type filter hook forward priority 0; ${counters} }; }`,
          });
        }
      },
    },
  );
  t.teardown(async () => {
    await house.close();
  });
  const home = house.node("home");
  await house.lanesUp(4);
  const config = await home.read("/etc/config/binder");

  await t.test("a gateway that needs OpenWrt is reported, alone", async (t) => {
    const { gateways } = await house.status();
    t.match(gateways.find(({ name }) => name === "stick")?.reason, /network 'wwan': netifd says nothing of it; is this OpenWrt/);
    t.equal(gateways.filter(({ state }) => state === "up").length, 4);
  });

  await t.test("a second daemon is refused", async (t) => {
    const { status, stderr } = await home.run(BINDER, ["run"]);
    t.equal(status, 1);
    t.match(stderr, /runs already/);
  });

  await t.test("an idle household changes nothing: 25 seconds without a word from ip monitor or nft monitor", async (t) => {
    await until("the lanes' delays are known", 40_000, async () =>
      (await house.status()).gateways.every(
        ({ number, state, delay_ms }) => state !== "up" || Math.abs((delay_ms ?? 999) - 2 * (gateways[number - 1]?.delay ?? 0)) < 14,
      )
        ? true
        : undefined,
    );
    await until("it is known which lanes are far", 10_000, async () =>
      (await home.must("nft", ["list", "table", "inet", "binder"])).includes("chain acknowledgements") ? true : undefined,
    );
    const monitors = [
      home.start("ip", ["monitor", "rule", "route", "address", "link"]),
      home.start("ip", ["mptcp", "monitor"]),
      home.start("nft", ["monitor"]),
    ];
    const children = pidsOf(await processes(home));
    await new Promise((resolve) => setTimeout(resolve, 25_000));
    for (const monitor of monitors) {
      t.same(monitor.lines, []);
      await monitor.end();
    }
    t.equal(pidsOf(await processes(home)), children);
    await house.lanesUp(4);
  });

  await t.test("each lane's packets leave by its own gateway", async (t) => {
    // Up: what acknowledges a download may go by the nearest.
    const { content, end } = await house.put(["--bytes", "4000000"]);
    t.equal(`${content} ${end}`, "good complete");
    for (const gateway of [1, 2, 3, 4]) {
      const text = await house.node(`gw${String(gateway)}`).must("nft", ["-j", "list", "counters"]);
      const { nftables } = JSON.parse(text) as { nftables: readonly { counter?: { name: string; packets: number } }[] };
      for (const { counter } of nftables) {
        if (counter === undefined) continue;
        if (counter.name === `lane${String(gateway)}`) t.ok(counter.packets > 100, `gateway ${String(gateway)} carried ${counter.name}`);
        else t.equal(counter.packets, 0, `gateway ${String(gateway)} saw nothing of ${counter.name}`);
      }
    }
  });

  await t.test("whatever somebody removes is back within 10 s, and a transfer goes on meanwhile", async (t) => {
    const running = await transfer(house);
    const [stepEndpoint = ""] = (await home.must("ip", ["mptcp", "endpoint"])).match(/^198\.19\.16\.\S+ id [0-9]+/m) ?? [];
    const endpoint = stepEndpoint.split(" ")[0] ?? "";
    const removals: readonly (readonly [string, readonly string[], readonly string[], RegExp])[] = [
      [
        "a gateway's alias",
        ["ip", "address", "del", "198.18.213.1/32", "dev", "lo"],
        ["ip", "address", "show", "dev", "lo"],
        /198\.18\.213\.1\/32/,
      ],
      ["a rule", ["ip", "rule", "del", "pref", "702"], ["ip", "rule"], /^702:/m],
      [
        "a gateway's route",
        ["ip", "route", "del", "default", "table", "21303", "metric", "0"],
        ["ip", "route", "show", "table", "21303"],
        /192\.168\.8\.1 dev wan3/,
      ],
      [
        "a lane's route",
        ["ip", "route", "del", "default", "table", "21331", "metric", "0"],
        ["ip", "route", "show", "table", "21331"],
        /dev binder-1/,
      ],
      [
        "a lane's address",
        ["ip", "address", "flush", "dev", "binder-2"],
        ["ip", "address", "show", "dev", "binder-2"],
        /198\.19\.32\.2\/32/,
      ],
      ["a lane's device", ["ip", "link", "del", "binder-4"], ["ip", "address", "show", "dev", "binder-4"], /198\.19\.64\.2\/32/],
      [
        "an MPTCP endpoint",
        ["ip", "mptcp", "endpoint", "del", "id", stepEndpoint.split(" ")[2] ?? ""],
        ["ip", "mptcp", "endpoint"],
        new RegExp(`^${endpoint.replaceAll(".", "\\.")} `, "m"),
      ],
      ["the nft table", ["nft", "delete", "table", "inet", "binder"], ["nft", "list", "table", "inet", "binder"], /chain dstnat/],
      ["the limit of subflows", ["ip", "mptcp", "limits", "set", "subflow", "2"], ["ip", "mptcp", "limits"], /subflows? 8/],
      ["a sysctl", ["sysctl", "-qw", "net.mptcp.blackhole_timeout=3600"], ["sysctl", "net.mptcp.blackhole_timeout"], /= 0$/m],
    ];
    // Of the first six the kernel tells Binder; the other four it has to find by itself, so nothing else may wake it.
    for (const group of [removals.slice(6), removals.slice(0, 6)]) {
      const removed = Date.now();
      for (const [, [program = "", ...args]] of group) await home.must(program, args);
      for (const [what, , [program = "", ...args], pattern] of group) {
        const left = Math.max(0, 10_000 - (Date.now() - removed));
        await until(`${what} is back`, left, async () => (pattern.test((await home.run(program, args)).stdout) ? true : undefined));
        t.pass(`${what} is back after ${((Date.now() - removed) / 1000).toFixed(1)} s`);
      }
    }
    await movesOn("everything is back", running);
    await house.lanesUp(4, 20_000);
    const children = await processes(home);
    const before = (await home.counters("binder-4")).rxBytes;
    await until("the lane whose device was removed carries again", 15_000, async () =>
      (await home.counters("binder-4")).rxBytes > before + 200_000 ? true : undefined,
    );
    t.equal(children.length, 5);
    const { content, end, bps } = await endOf(running);
    t.equal(`${content} ${end}`, "good time");
    t.ok(bps > 1.6e6, `${String(bps)} bit/s`);
  });

  await t.test("the daemon ends or is killed: the transfer goes on, and the next one takes OpenVPN and HAProxy over", async (t) => {
    const running = await transfer(house);
    const children = await processes(home);
    t.equal(children.filter(({ name }) => name.startsWith("openvpn")).length, 4);
    t.ok(children.some(({ name }) => name === "haproxy"));
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      house.homeDaemon.kill(signal);
      await house.homeDaemon.exit;
      t.equal(await statusOf(house), undefined, `${signal}: the daemon is gone`);
      await movesOn(`after ${signal}`, running);
      t.equal(pidsOf(await processes(home)), pidsOf(children), `${signal}: the programs run on`);
      await runAgain(house);
      await house.lanesUp(4);
      t.equal(pidsOf(await processes(home)), pidsOf(children), `${signal}: the next daemon took the same programs over`);
      await movesOn(`after the daemon that followed ${signal}`, running);
    }
    const { content, end } = await endOf(running);
    t.equal(`${content} ${end}`, "good time");
  });

  await t.test("a broken configuration keeps the last good one, and says so", async (t) => {
    const running = await transfer(house);
    const children = pidsOf(await processes(home));
    await home.write("/etc/config/binder", `${config}\nconfig gateway 'gw1'\n\toption via 'nowhere'\n`);
    house.homeDaemon.kill("SIGHUP");
    const warned = await until("status says so", 5_000, async () => {
      const status = await statusOf(house);
      return status?.warnings.some((text) => text.includes("the last good one")) === true ? status : undefined;
    });
    t.match(warned.warnings.join("\n"), /\/etc\/config\/binder:[0-9]+/);
    t.equal(warned.gateways.filter(({ state }) => state === "up").length, 4);
    await movesOn("with the last good one", running);
    const { content, end } = await endOf(running);
    t.equal(`${content} ${end}`, "good time");
    t.equal(pidsOf(await processes(home)), children);
    await home.write("/etc/config/binder", config);
    house.homeDaemon.kill("SIGHUP");
    await until("the warning goes", 5_000, async () =>
      (await statusOf(house))?.warnings.every((text) => !text.includes("the last good one")) === true ? true : undefined,
    );
  });

  await t.test("a gateway is taken away, edited and added again: the others' flows and programs go on", async (t) => {
    const running = await transfer(house);
    const others = (children: readonly Child[]): string => pidsOf(children.filter(({ name }) => !name.includes("lane-2")));
    const children = others(await processes(home));
    const without = config.replace(/config gateway 'gw2'\n(\t.*\n)*/, "");
    const edited = config.replace("config gateway 'gw2'\n", "config gateway 'gw2'\n\toption mtu '1300'\n");
    for (const [what, text, up] of [
      ["taken away", without, 3],
      ["added, with another mtu", edited, 4],
      ["edited", config, 4],
    ] as const) {
      await home.write("/etc/config/binder", text);
      house.homeDaemon.kill("SIGHUP");
      await until(`gateway 2 is ${what}`, 20_000, async () => {
        const { stdout } = await home.run("ip", ["-o", "link", "show", "binder-2"]);
        const wanted = text === without ? stdout === "" : stdout.includes(text === edited ? "mtu 1300" : "mtu 1400");
        const status = await statusOf(house);
        return wanted && status?.gateways.filter(({ state }) => state === "up").length === up ? true : undefined;
      });
      t.equal(others(await processes(home)), children, `${what}: the others' programs are the same`);
      await movesOn(`gateway 2 was ${what}`, running);
    }
    const { content, end } = await endOf(running);
    t.equal(`${content} ${end}`, "good time");
  });

  for (const ended of ["binder stop", "binder cleanup, without a daemon"]) {
    await t.test(`${ended} removes everything of Binder's and nothing else`, async (t) => {
      if (ended === "binder stop") {
        await home.must(BINDER, ["stop"], { limit: 20_000 });
        t.equal(await house.homeDaemon.exit, 0);
      } else {
        await runAgain(house);
        await house.lanesUp(4);
        house.homeDaemon.kill("SIGKILL");
        await house.homeDaemon.exit;
        await home.must(BINDER, ["cleanup"], { limit: 20_000 });
      }
      t.equal(await remains(home), "", "nothing is left in the kernel, in /proc or in /run but logs");
      for (const [program, args, pattern] of foreign)
        t.match((await home.run(program, args)).stdout, pattern, `${program} ${args.join(" ")}`);
      const now = await sysctls(home);
      t.same(
        now.filter((line) => !before.includes(line)),
        [],
        "no sysctl is new or changed",
      );
      t.same(
        before.filter((line) => !now.includes(line)),
        [],
        "no sysctl is gone",
      );
    });
  }

  await t.test("a broken configuration at the start ends binder run with status 3", async (t) => {
    await home.write("/etc/config/binder", `${config}\nconfig gateway 'gw1'\n\toption via 'nowhere'\n`);
    const { status, stderr } = await home.run(BINDER, ["run"]);
    t.equal(status, 3);
    t.match(stderr, /\/etc\/config\/binder:[0-9]+/);
    t.equal(await remains(home), "");
  });
});
