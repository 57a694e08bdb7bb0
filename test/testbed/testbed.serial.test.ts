/** The network itself: it is there, it is alone, and nothing of it stays. */
import { execFileSync, spawn } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "../harness/index.ts";
import { compiled, download, serve, Testbed, upload } from "./index.ts";

const two = {
  gateways: [
    { rate: 20e6, delay: 10 },
    { rate: 10e6, delay: 30 },
  ],
} as const;
const kinds = ["net", "mnt", "pid", "uts", "ipc"] as const;

function namespacesOf(pid: number | "self"): string[] {
  try {
    return kinds.map((kind) => readlinkSync(`/proc/${String(pid)}/ns/${kind}`));
  } catch {
    return [];
  }
}

function openNamespaces(pid: number): string[] {
  const directory = `/proc/${String(pid)}/fd`;
  try {
    return readdirSync(directory).flatMap((fd) => {
      try {
        return readlinkSync(join(directory, fd));
      } catch {
        return [];
      }
    });
  } catch {
    return [];
  }
}

function parentOf(pid: number): number | undefined {
  try {
    const fields = readFileSync(`/proc/${String(pid)}/stat`, "utf8")
      .replace(/^.*\) /, "")
      .split(" ");
    return Number(fields[1]);
  } catch {
    return undefined;
  }
}

function processes(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** Everything under /proc/sys/net that can be read, but for counts that move by themselves. */
function sysctls(directory = "/proc/sys/net"): string {
  return readdirSync(directory)
    .sort()
    .map((name) => {
      const path = join(directory, name);
      if (statSync(path).isDirectory()) return sysctls(path);
      if (name === "nf_conntrack_count") return "";
      try {
        return `${path} ${readFileSync(path, "utf8")}`;
      } catch {
        return "";
      }
    })
    .join("");
}

/** The machine's own network and mounts. */
function machine(): Record<string, string> {
  const run = (program: string, ...args: string[]): string => execFileSync(program, args, { encoding: "utf8" });
  return {
    addresses: run("ip", "-j", "addr").replace(/"(valid|preferred)_life_time":\d+/g, ""),
    routes: run("ip", "-j", "route", "show", "table", "all"),
    rules: run("ip", "-j", "rule"),
    nft: run("nft", "list", "ruleset"),
    sysctls: sysctls(),
    mounts: readFileSync("/proc/self/mountinfo", "utf8"),
    temporary: readdirSync("/tmp")
      .filter((name) => /^(upper|work)\d/.test(name))
      .join(),
  };
}

async function until(what: string, condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`after 10 s still not: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

if (process.env["HOLD_A_TESTBED"] === undefined) tests();
else await holdTestbed();

/** What the process that is killed does: see "nothing is left". */
async function holdTestbed(): Promise<void> {
  const testbed = await Testbed.create(two);
  const busy = testbed.node("home").start("sh", ["-c", "setsid sleep 600 & echo started; exec sleep 601"]);
  await busy.line(/started/);
  console.log(`NODES ${JSON.stringify([...testbed.nodes.values()].map((node) => node.pid))}`);
  await new Promise((resolve) => setTimeout(resolve, 60_000));
}

function tests(): void {
  test("LAN hosts reach the server by the gateway that the home routes by", async (t) => {
    const testbed = await Testbed.create({ ...two, lanHosts: 2 });
    t.teardown(() => testbed.close());
    for (const warning of testbed.warnings) t.comment(warning);
    await serve(testbed.node("server"));
    // The limit leaves room for a second SYN: an ICMP error that comes while connect() still owns the socket is only noted (tcp_v4_err).
    t.equal((await download(testbed.node("lan1"), { bytes: 1000, limit: 5 })).end, "unreachable", "no route without homeDefault");
    for (const gateway of [1, 2]) {
      await testbed.homeDefault(gateway);
      for (const lan of ["lan1", "lan2"]) {
        const { end, content, peer, first_byte_ms: delay } = await download(testbed.node(lan), { bytes: 100_000 });
        t.equal(`${end} ${content}`, "complete good");
        t.equal(peer.split(":")[0], `45.0.${String(gateway)}.2`);
        const least = gateway === 1 ? 40 : 120;
        t.ok(delay !== null && delay >= least && delay < least + 15, `first byte after ${String(delay)} ms`);
      }
    }
    const up = await upload(testbed.node("lan1"), { seconds: 2 });
    t.equal(`${up.end} ${up.content}`, "time good");
    t.ok(up.bps > 5e6 && up.bps < 10e6, `${String(up.bps)} bit/s of 10`);
  });

  test("ends of a transfer are told apart", async (t) => {
    const testbed = await Testbed.create({ ...two, homeDefault: 1 });
    t.teardown(() => testbed.close());
    const server = await serve(testbed.node("server"));
    const lan = testbed.node("lan1");
    t.equal((await download(lan, { bytes: 1e5, resetAt: 5e4 })).end, "reset");
    t.equal((await download(lan, { bytes: 1e5, closeAt: 5e4 })).end, "early");
    t.equal((await download(lan, { bytes: 1e5, port: 81 })).end, "refused");
    t.equal((await download(lan, { bytes: 1e5, to: "45.0.77.1" })).end, "unreachable");
    await server.end();
    t.equal((await download(lan, { bytes: 1e5 })).end, "refused");
  });

  test("two USB sticks that both call themselves 192.168.8.1", async (t) => {
    const stick = { attach: "wan", address: "192.168.8.1", homeAddress: "192.168.8.100" } as const;
    const testbed = await Testbed.create({ gateways: [stick, stick] });
    t.teardown(() => testbed.close());
    await serve(testbed.node("server"));
    for (const gateway of [1, 2]) {
      await testbed.homeDefault(gateway);
      const { peer } = await download(testbed.node("lan1"), { bytes: 1000 });
      t.equal(peer.split(":")[0], `45.0.${String(gateway)}.2`);
    }
  });

  test("a device MTU is answered, with the size that passes", async (t) => {
    const testbed = await Testbed.create({ gateways: [{ deviceMtu: 1420 }], homeDefault: 1 });
    t.teardown(() => testbed.close());
    const { stdout } = await testbed.node("lan1").run("ping", ["-c", "1", "-W", "1", "-M", "do", "-s", "1472", "45.0.200.2"]);
    t.match(stdout, /mtu ?= ?1420/);
  });

  test("a node has files and processes of its own", async (t) => {
    const testbed = await Testbed.create(two);
    t.teardown(() => testbed.close());
    const home = testbed.node("home");
    const relay = testbed.node("relay");
    const name = `binder-test-${String(process.pid)}`;
    const places = ["/etc/config", "/etc/binder", "/run", "/tmp", "/var/log", "/root"];
    for (const place of places) await home.write(`${place}/${name}`, "private", 0o600);
    await home.must("sh", ["-c", "echo binder-test:x:4242:4242::/:/bin/false >> /etc/passwd"]);
    for (const place of places) {
      t.equal(await home.read(`${place}/${name}`), "private");
      t.equal(await home.must("stat", ["-c", "%a", `${place}/${name}`]), "600\n");
      t.not((await relay.run("cat", [`${place}/${name}`])).status, 0);
      t.throws(() => readFileSync(`${place}/${name}`), /ENOENT/);
    }
    t.notMatch(readFileSync("/etc/passwd", "utf8"), /binder-test/);
    t.equal(await home.must("ls", ["/sys/class/net"]), "lan0\nlo\nmesh0\n");
    t.equal(await home.must("hostname"), "home\n");
    const sleeper = relay.start("sleep", ["600"]);
    await until("sleep runs", () => processes().some((pid) => namespacesOf(pid)[0] === namespacesOf(relay.pid)[0] && pid !== relay.pid));
    t.equal((await home.must("sh", ["-c", "echo /proc/[0-9]*"])).split(" ").length, 2, "PID 1 and the shell");
    await sleeper.end();
    t.equal(await sleeper.exit, 137);
  });

  test("programs end as they are told", async (t) => {
    const testbed = await Testbed.create(two);
    t.teardown(() => testbed.close());
    const home = testbed.node("home");
    t.same(await home.run("sh", ["-c", "cat; echo err >&2; exit 7"], { input: "in" }), { status: 7, stdout: "in", stderr: "err\n" });
    t.equal((await home.run("no-such-program")).status, 127);
    t.equal((await home.run("sh", ["-c", "kill -TERM $$"])).status, 143);
    await t.rejects(home.run("sleep", ["600"], { limit: 100 }), /not done after 100 ms/);
    await t.rejects(home.run("sleep", ["600"], { signal: AbortSignal.timeout(100) }), { name: "TimeoutError" });
    const polite = home.start("sh", ["-c", "trap 'echo bye; exit 3' TERM; echo ready; while :; do sleep 0.05; done"]);
    await polite.line(/ready/);
    polite.kill("SIGTERM");
    t.equal(await polite.exit, 3);
    t.same(polite.lines, ["ready", "bye"]);
    await t.rejects(polite.line(/never/), /ended without a line/);
    t.equal((await home.run("sh", ["-c", "setsid sleep 600 >/dev/null 2>&1 </dev/null & echo left"])).stdout, "left\n");
    t.match(await home.must("sh", ["-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"]), /sleep 600/, "a daemon stays");
  });

  test("two testbeds at a time, and the machine notices neither", async (t) => {
    const before = machine();
    const [one, other] = await Promise.all([Testbed.create({ ...two, homeDefault: 1 }), Testbed.create({ ...two, homeDefault: 2 })]);
    t.teardown(() => Promise.all([one.close(), other.close()]));
    t.strictSame(machine(), before, "while they run");
    await Promise.all([one, other].map((testbed) => serve(testbed.node("server"))));
    const both = await Promise.all([one, other].map((testbed) => download(testbed.node("lan1"), { bytes: 300_000 })));
    t.same(
      both.map(({ end, content, peer }) => `${end} ${content} ${peer.split(":")[0] ?? ""}`),
      ["complete good 45.0.1.2", "complete good 45.0.2.2"],
    );
    const gone = [...one.nodes.values()].map((node) => node.pid);
    await one.close();
    await one.close();
    for (const pid of gone) t.same(namespacesOf(pid), [], `PID ${String(pid)} is gone`);
    t.equal((await download(other.node("lan1"), { bytes: 1000 })).end, "complete", "the other one stays");
    await other.close();
    t.strictSame(machine(), before, "afterwards");
  });

  test("a PID that is no node's is not entered", async (t) => {
    const enter = await compiled("enter");
    t.throws(() => execFileSync(enter, ["run", String(process.pid), "/", "true"], { stdio: "pipe" }), /no node of a testbed/);
  });

  test("nothing is left of a testbed whose owner is killed", async (t) => {
    const before = machine();
    const owner = spawn(process.execPath, [fileURLToPath(import.meta.url)], {
      env: { ...process.env, HOLD_A_TESTBED: "1" },
      stdio: ["ignore", "pipe", "inherit"],
    });
    t.teardown(() => owner.kill("SIGKILL"));
    let said = "";
    owner.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));
    await until("the testbed stands", () => /^NODES .*\n/m.test(said));
    const nodes = JSON.parse(/^NODES (.*)/m.exec(said)?.[1] ?? "[]") as number[];
    const own = new Set(namespacesOf("self"));
    const theirs = new Set(nodes.flatMap(namespacesOf).filter((name) => !own.has(name)));
    t.ok(
      nodes.length >= 8 && theirs.size === nodes.length * kinds.length,
      `${String(theirs.size)} namespaces of ${String(nodes.length)} nodes`,
    );
    const inside = (): number[] => processes().filter((pid) => namespacesOf(pid).some((name) => theirs.has(name)));
    t.ok(inside().length >= nodes.length + 3, "the nodes, the link emulator and two sleeps");
    const children = processes().filter((pid) => parentOf(pid) === owner.pid);
    t.ok(children.length >= 3, "the keeper, and an `enter` for each program");
    owner.kill("SIGKILL");
    await until("no process is in its namespaces", () => inside().length === 0);
    await until("neither keeper nor enter runs", () => !children.some((pid) => processes().includes(pid)));
    t.same(
      processes()
        .flatMap(openNamespaces)
        .filter((name) => theirs.has(name)),
      [],
      "nobody holds a namespace open",
    );
    // A namespace without process, mount or open file is no more, and its devices with it.
    t.strictSame(machine(), before);
  });
}
