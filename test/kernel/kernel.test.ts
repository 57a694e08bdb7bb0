import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createHost } from "../../src/host/node.ts";
import type { Host } from "../../src/host/types.ts";
import { Kernel } from "../../src/kernel/kernel.ts";
import { UNKNOWN_NFT } from "../../src/kernel/nft-table.ts";
import { emptyState, type KernelState } from "../../src/kernel/state.ts";
import { stateText } from "../../src/kernel/text.ts";
import { test } from "../harness/index.ts";
import { home, makeForeign, ownership } from "./home.ts";
import { enterNamespace, ip, run } from "./namespace.ts";

await enterNamespace();

const SAVED = "/run/binder/saved/kernel.json";
const host = createHost();
const forever = new AbortController().signal;

/** What the home's text is once the kernel has it: values are what they came to, and only of sysctls that there are. */
function reached(state: KernelState, former: string): string {
  const sysctls = state.sysctls
    .filter(({ key }) => key.startsWith("net/") && existsSync(`/proc/sys/${key}`) && !key.includes("/binder-"))
    .map(({ key, value }) => ({ key, mode: "set", value: key.endsWith("rmem") ? raisedRmem(former, value) : value }) as const);
  return stateText({ ...state, sysctls });
}

const raisedRmem = (former: string, value: string): string =>
  value
    .split(" ")
    .map((number, i) => String(Math.max(Number(number), Number(former.split(/\s+/)[i]))))
    .join(" ");

/** The kernel's state as Binder sees it, what it never makes too; without its devices' sysctls, which come and go. */
async function found(kernel: Kernel): Promise<string> {
  const state = await kernel.read(forever);
  const odd = [
    ...state.devices.filter(({ up, persistentTun }) => !up || !persistentTun).map(({ name }) => `unfit ${name}`),
    ...state.endpoints.filter((endpoint) => endpoint.odd).map(({ address }) => `odd endpoint ${address}`),
    ...[...state.oddRules, ...state.oddRoutes].map((item) => `odd ${JSON.stringify(item)}`),
  ];
  const sysctls = state.sysctls.filter(({ key }) => !key.includes("/binder-"));
  return stateText({ ...state, sysctls }) + odd.map((line) => `${line}\n`).join("");
}

/** Everything else there is, as text: all sysctls of the namespace, rules, routes, addresses, endpoints, tables. */
function everything(): string {
  const lines = [
    run("sysctl", ["-a"])
      .split("\n")
      .filter((line) => !/^(kernel|fs|vm|dev|debug|user|sunrpc)\.|stable_secret|nf_conntrack_count|tcp_fastopen_key/.test(line))
      .join("\n"),
    ...["rule", "-6 rule", "route show table all", "address", "mptcp endpoint", "mptcp limits"].map((words) => ip(...words.split(" "))),
    run("nft", ["--stateless", "list", "ruleset"]),
  ];
  // The life of an IPv6 router's or link-local address is a clock's business.
  return lines
    .join("\n")
    .replace(/valid_lft \d+sec preferred_lft \d+sec/g, "")
    .replace(/ tentative/g, "");
}

/** Watches with `ip monitor` what is done meanwhile; answers its lines. */
async function heard(work: () => Promise<unknown>): Promise<string> {
  const monitor = spawn("ip", ["-oneline", "monitor", "rule", "route", "address", "link"], { stdio: ["ignore", "pipe", "ignore"] });
  let text = "";
  monitor.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
  const rulesOf = (pref: string): string[] => ["pref", pref, "from", "192.0.2.1", "lookup", "99"];
  const mark = async (pref: string): Promise<void> => {
    // The monitor is heard to listen, and to have told all, when it tells of a rule made for it.
    const limit = Date.now() + 5_000;
    while (!text.includes(`${pref}:`)) {
      if (Date.now() > limit) throw new Error("ip monitor says nothing");
      ip("rule", "add", ...rulesOf(pref));
      ip("rule", "delete", ...rulesOf(pref));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  try {
    await mark("31001");
    text = "";
    await work();
    await mark("31002");
  } finally {
    monitor.kill("SIGKILL");
  }
  return text
    .split("\n")
    .filter((line) => !/3100[12]:/.test(line) && line !== "")
    .join("\n");
}

/** A host that counts the programs it runs. */
function counting(programs: string[]): Host {
  const runs: Host["processes"]["run"] = async (program, args, signal, options) => {
    programs.push(program);
    return await host.processes.run(program, args, signal, options);
  };
  return { ...host, processes: { ...host.processes, run: runs } };
}

test("a home's state", async (t) => {
  makeForeign();
  const before = everything();
  const rmem = readFileSync("/proc/sys/net/ipv4/tcp_rmem", "utf8").trim();
  const wanted = reached(home, rmem);
  const programs: string[] = [];
  const kernel = new Kernel(counting(programs), ownership);

  await t.test("is made as a whole", async (t) => {
    t.strictSame((await kernel.set(home, forever)).map(String), []);
    t.equal(await found(kernel), wanted);
    t.equal(readFileSync("/proc/sys/net/ipv4/conf/binder-1/rp_filter", "utf8"), "2\n");
    t.equal(readFileSync("/proc/sys/net/ipv4/conf/binder-2/ignore_routes_with_linkdown", "utf8"), "1\n");
  });

  await t.test("set again does nothing: two programs read, nobody hears of a change", async (t) => {
    programs.length = 0;
    const traffic = ["-c", "1", "-W", "1", "10.0.0.1"];
    run("ping", traffic);
    t.equal(await heard(async () => t.strictSame(await kernel.set(home, forever), [])), "");
    t.strictSame([...programs].sort(), ["ip", "nft"]);
    const next = new Kernel(host, ownership);
    t.equal(await heard(async () => t.strictSame(await next.set(home, forever), [])), "", "nor by the next daemon");
  });

  await t.test("whatever is removed by hand comes back, and only that", async (t) => {
    const cases: readonly (readonly [string, () => unknown, RegExp])[] = [
      ["a rule", () => ip("rule", "delete", "pref", "702"), /^702:.*lookup 21302/],
      ["a rule by mark", () => ip("rule", "delete", "pref", "716"), /^716:/],
      ["a route", () => ip("route", "delete", "default", "table", "21302"), /^default via 10.9.9.3 dev lan table 21302 proto 213 onlink/],
      ["an unreachable route", () => ip("route", "delete", "unreachable", "default", "table", "21301"), /^unreachable default table 21301/],
      ["the multipath route", () => ip("route", "delete", "198.19.0.1", "table", "21300"), /^198.19.0.1 table 21300 .*weight 20.*weight 7/],
      [
        "the multipath route's weights",
        () =>
          ip(
            ..."route replace 198.19.0.1 table 21300 proto 213 metric 3 src 198.19.0.2 nexthop dev binder-1 nexthop dev binder-2".split(
              " ",
            ),
          ),
        /^198.19.0.1 table 21300 .*weight 20.*weight 7/,
      ],
      ["an address", () => ip("address", "delete", "198.18.213.2/32", "dev", "lo"), /198.18.213.2\/32/],
      ["a queue's length", () => ip("link", "set", "dev", "binder-2", "txqueuelen", "9"), /binder-2.* mtu 1380/],
    ];
    for (const [name, remove, told] of cases) {
      remove();
      t.not(await found(kernel), wanted, `${name} is missed`);
      const lines = await heard(async () => t.strictSame(await kernel.set(home, forever), []));
      t.equal(await found(kernel), wanted, `${name} is back`);
      const own = lines.split("\n").filter((line) => !line.includes("table local") && !line.includes("proto kernel"));
      t.match(own[0], told, `${name}: ${lines}`);
      t.equal(own.length, 1, `${name} alone: ${lines}`);
    }
  });

  await t.test("so do a device with all on it, an endpoint, the limit, a sysctl and the nft table", async (t) => {
    const cases: readonly (readonly [string, () => unknown])[] = [
      ["a device", () => ip("link", "delete", "dev", "binder-1")],
      [
        "a device in place of the tun",
        () => [ip("link", "delete", "dev", "binder-1"), ip("link", "add", "name", "binder-1", "type", "ifb")],
      ],
      ["a tun that is down", () => ip("link", "set", "dev", "binder-2", "down")],
      ["another MTU", () => ip("link", "set", "dev", "binder-2", "mtu", "1500")],
      ["an endpoint", () => ip("mptcp", "endpoint", "flush")],
      ["an endpoint of other flags", () => ip("mptcp", "endpoint", "change", "id", idOf("198.19.32.2"), "nobackup", "fullmesh")],
      ["all rules", () => ip("rule", "flush", "protocol", "213")],
      ["the limit", () => ip("mptcp", "limits", "set", "subflow", "2")],
      ["a sysctl", () => writeFileSync("/proc/sys/net/mptcp/blackhole_timeout", "77")],
      ["the nft table", () => run("nft", ["delete", "table", "inet", "binder"])],
      ["a rule of the nft table", () => run("nft", ["flush", "chain", "inet", "binder", "pre"])],
      ["an element more in an nft set", () => run("nft", ["add", "element", "inet", "binder", "fixed", "{ 10.0.0.2 }"])],
      ["an address more on a tun", () => ip("address", "add", "198.19.99.9/32", "dev", "binder-1")],
      ["an address more on lo", () => ip("address", "add", "198.19.99.9/32", "dev", "lo")],
      ["a second address of a subnet", () => ip("address", "add", "198.19.16.77/20", "dev", "binder-1")],
      ["a rule more", () => ip("rule", "add", "pref", "702", "oif", "lan", "lookup", "21302", "protocol", "213")],
      ["a route more", () => ip("route", "add", "blackhole", "192.0.2.0/24", "table", "21302", "protocol", "213")],
      [
        "an encapsulating route",
        () => ip(..."route add default encap ip id 42 dst 10.0.0.9 dev lan metric 8 table 21302 protocol 213".split(" ")),
      ],
      ["an endpoint more", () => ip("mptcp", "endpoint", "add", "198.19.99.9", "signal")],
    ];
    for (const [name, change] of cases) {
      change();
      t.not(await found(kernel), wanted, `${name} is seen`);
      t.strictSame((await kernel.set(home, forever)).map(String), [], `${name}: no failure`);
      t.equal(await found(kernel), wanted, `${name} is made good`);
      if (name === "an endpoint") ip("mptcp", "endpoint", "add", "10.0.0.1", "dev", "lan", "subflow", "id", "1");
      if (name === "a sysctl") t.match(readFileSync(SAVED, "utf8"), /"former": "77"/, "somebody else's value is the one to put back");
    }
    t.equal(readFileSync("/proc/sys/net/ipv4/conf/binder-1/rp_filter", "utf8"), "2\n", "the new device has its sysctl");
    writeFileSync("/proc/sys/net/mptcp/blackhole_timeout", "3600");
    t.strictSame(await kernel.set(home, forever), []);
  });

  await t.test("an endpoint that is added again gets another identifier", async (t) => {
    const former = idOf("198.19.16.2");
    t.strictSame(await kernel.set({ ...home, endpoints: home.endpoints.slice(1) }, forever), []);
    t.strictSame(await kernel.set(home, forever), []);
    t.not(idOf("198.19.16.2"), former);
  });

  await t.test("changes in place: no rule, route or address in between is missing", async (t) => {
    const moved: KernelState = {
      ...home,
      addresses: home.addresses.map((address) => (address.device === "binder-1" ? { ...address, address: "198.19.16.9" } : address)),
      routes: home.routes.map((route) =>
        route.table === 21302 ? { ...route, nextHops: [{ device: "lan", via: "10.0.0.7", onlink: true }] } : route,
      ),
      endpoints: [
        { address: "198.19.16.9", device: "binder-1", backup: false },
        { address: "198.19.32.2", device: "binder-2", backup: false },
      ],
      nft: "chain a { }",
    };
    const lines = await heard(async () => t.strictSame((await kernel.set(moved, forever)).map(String), []));
    t.equal(await found(kernel), reached(moved, rmem));
    t.notMatch(lines, /Deleted.*table 21302/, "the route is replaced");
    t.strictSame(await kernel.set(home, forever), []);
    t.equal(await found(kernel), wanted);
  });

  await t.test("one failing operation among many stops none of the others, and is told in the kernel's words", async (t) => {
    const more: KernelState = {
      ...home,
      routes: [
        ...home.routes,
        // The kernel refuses this one, `ip` gives up altogether at the next, and nobody could write the third.
        { table: 21303, destination: "192.0.2.0/24", kind: "unicast", nextHops: [{ device: "lan" }], source: "192.0.2.77" },
        { table: 21304, destination: "default", kind: "unicast", nextHops: [{ device: "lan" }, { device: "gone0" }] },
        { table: 21305, destination: "default", kind: "unicast", nextHops: [{ device: "lan up" }] },
        { table: 21306, destination: "default", kind: "unicast", nextHops: [{ device: "lan" }] },
      ],
      endpoints: [...home.endpoints, { address: "198.19.48.2", device: "gone1", backup: false }],
      sysctls: [...home.sysctls, { key: "net/ipv4/tcp_congestion_control", mode: "set", value: "nonsense" }],
      rules: [...home.rules, { preference: 799, action: { kind: "lookup", table: 21306 } }],
      nft: `${home.nft ?? ""}\nchain x { nonsense }`,
    };
    const failures = await kernel.set(more, forever);
    const told = failures.map(({ message }) => message).sort();
    t.equal(told.length, 6, told.join("\n"));
    t.match(told.join("\n"), /add endpoint 198.19.48.2 .*device does not exist/);
    t.match(told.join("\n"), /add route unicast 192.0.2.0\/24.*Invalid prefsrc/);
    t.match(told.join("\n"), /gone0/);
    t.match(told.join("\n"), /"lan up" can't be a word/);
    t.match(told.join("\n"), /replace the nft table: [^]*nonsense/);
    t.match(told.join("\n"), /tcp_congestion_control: /);
    t.match(await found(kernel), /rule 799: lookup 21306\n/);
    t.match(await found(kernel), /table 21306 /);
    t.equal((await kernel.read(forever)).nft, home.nft, "the table is as before");
    t.strictSame(await kernel.set(home, forever), []);
    t.equal(await found(kernel), wanted);
  });

  await t.test("a foreign route in the place of one of Binder's is not overwritten", async (t) => {
    const clash: KernelState = {
      ...home,
      routes: [...home.routes, { table: 7, destination: "198.51.100.0/24", kind: "unicast", nextHops: [{ device: "lan" }] }],
    };
    const failures = await kernel.set(clash, forever);
    t.strictSame(
      failures.map(({ words }) => words),
      ["RTNETLINK answers: File exists"],
    );
    t.match(ip("route", "show", "table", "7"), /via 10.0.0.2/);
  });

  await t.test(
    "a foreign rule, endpoint, lo address, route, nft table and every sysctl are after cleanup as they were before",
    async (t) => {
      t.not(everything(), before);
      const another = new Kernel(host, ownership);
      t.strictSame((await another.cleanup(forever)).map(String), []);
      t.equal(everything(), before);
      t.strictSame(readdirSync("/run/binder"), ["saved"]);
      t.strictSame(readdirSync("/run/binder/saved"), []);
      t.equal(stateText(await another.read(forever)), stateText({ ...emptyState, subflowLimit: 2 }));
    },
  );

  await t.test("cleanup of what is half gone, and of nothing", async (t) => {
    t.strictSame(await kernel.set(home, forever), []);
    ip("link", "delete", "dev", "binder-1");
    ip("rule", "delete", "pref", "702");
    run("nft", ["delete", "table", "inet", "binder"]);
    ip("mptcp", "endpoint", "delete", "id", idOf("198.19.32.2"));
    writeFileSync("/proc/sys/net/mptcp/blackhole_timeout", "55");
    t.strictSame((await new Kernel(host, ownership).cleanup(forever)).map(String), []);
    t.equal(readFileSync("/proc/sys/net/mptcp/blackhole_timeout", "utf8"), "55\n", "not Binder's value, not Binder's business");
    writeFileSync("/proc/sys/net/mptcp/blackhole_timeout", "3600");
    t.equal(everything(), before);
    t.equal(await heard(async () => t.strictSame(await new Kernel(host, ownership).cleanup(forever), [])), "");
    t.equal(everything(), before);
  });
});

/** The identifier of an MPTCP endpoint, as text. */
function idOf(address: string): string {
  return new RegExp(`^${address} id ([0-9]+)`, "m").exec(ip("mptcp", "endpoint"))?.[1] ?? "none";
}

test("former values that can't be saved are not changed", async (t) => {
  rmSync("/run/binder", { recursive: true, force: true });
  mkdirSync("/run/binder");
  writeFileSync("/run/binder/saved", "a file in the directory's place");
  t.teardown(() => {
    rmSync("/run/binder", { recursive: true, force: true });
  });
  const kernel = new Kernel(host, ownership);
  const wanted: KernelState = { ...emptyState, subflowLimit: 8, sysctls: home.sysctls.slice(0, 1), rules: home.rules.slice(0, 1) };
  const read = (): string[] => [ip("mptcp", "limits"), readFileSync("/proc/sys/net/mptcp/blackhole_timeout", "utf8")];
  const before = read();
  const failures = await kernel.set(wanted, forever);
  t.strictSame(
    failures.map(({ operation }) => operation.kind),
    ["write-sysctl", "set-subflow-limit"],
  );
  t.match(failures[0]?.message, /former value could not be saved/);
  t.strictSame(read(), before);
  t.match(ip("rule"), /701:\tfrom 198.18.213.1/, "the rest is done");
  t.strictSame((await kernel.cleanup(forever)).map(String), []);
});

test("a table that Binder left and has no record of is made anew", async (t) => {
  const kernel = new Kernel(host, ownership);
  const wanted: KernelState = { ...emptyState, nft: "chain a { }" };
  t.strictSame(await kernel.set(wanted, forever), []);
  rmSync("/run/binder/nft.json");
  t.equal((await new Kernel(host, ownership).read(forever)).nft, UNKNOWN_NFT);
  t.strictSame(await new Kernel(host, ownership).set(wanted, forever), []);
  t.equal((await new Kernel(host, ownership).read(forever)).nft, "chain a { }");
  t.strictSame(await kernel.cleanup(forever), []);
});

test("reading stops when the signal fires, and an unreadable kernel is an error that says what to do", async (t) => {
  const controller = new AbortController();
  const reason = new Error("enough");
  controller.abort(reason);
  await t.rejects(new Kernel(host, ownership).read(controller.signal), { message: "enough" });
  const missing: Host["processes"]["run"] = async (program, args, signal, options) =>
    await host.processes.run(`no-${program}`, args, signal, options);
  const bare = new Kernel({ ...host, processes: { ...host.processes, run: missing } }, ownership);
  await t.rejects(bare.set(home, forever), { name: "KernelReadError", message: /there is no program ip: install iproute2/ });
  const stderr = new TextEncoder().encode("ip: unrecognized option: N\n");
  const poor: Host["processes"]["run"] = async () => ({ status: 1, stdout: new Uint8Array(), stderr });
  const busybox = new Kernel({ ...host, processes: { ...host.processes, run: poor } }, ownership);
  await t.rejects(busybox.set(home, forever), { name: "KernelReadError", message: /unrecognized option: N .*ip-full/ });
});
