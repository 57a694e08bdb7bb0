import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createHost } from "../../src/host/node.ts";
import type { Host } from "../../src/host/types.ts";
import { Kernel } from "../../src/kernel/kernel.ts";
import { UNKNOWN_NFT } from "../../src/kernel/nft-table.ts";
import { emptyState, type KernelState, type Ownership } from "../../src/kernel/state.ts";
import { stateText } from "../../src/kernel/text.ts";
import { watchKernel } from "../../src/kernel/watch.ts";
import { type Test, test } from "../harness/index.ts";
import { enterNamespace, ip, run } from "./namespace.ts";

await enterNamespace();

const ownership: Ownership = {
  devicePrefix: "binder-",
  prefixes: ["198.18.213.0/24", "198.19.0.0/16"],
  protocol: 213,
  nftTable: "binder",
  savedDirectory: "/run/binder/saved",
};
const SAVED = "/run/binder/saved/kernel.json";
const host = createHost();
const forever = new AbortController().signal;

/** A home with two gateways behind `lan`, near to what the plan makes. */
const home: KernelState = {
  devices: [
    { name: "binder-1", mtu: 1400, txQueueLength: 500 },
    { name: "binder-2", mtu: 1380, txQueueLength: 500 },
  ],
  addresses: [
    { device: "lo", address: "198.18.213.1", prefixLength: 32 },
    { device: "lo", address: "198.18.213.2", prefixLength: 32 },
    { device: "lo", address: "198.19.0.2", prefixLength: 32 },
    { device: "binder-1", address: "198.19.16.2", prefixLength: 20 },
    { device: "binder-2", address: "198.19.32.2", prefixLength: 32 },
  ],
  rules: [
    { preference: 701, from: "198.18.213.1", action: { kind: "lookup", table: 21301 } },
    { preference: 702, from: "198.18.213.2", action: { kind: "lookup", table: 21302 } },
    { preference: 716, mark: { value: 0x20000000, mask: 0x30000000 }, action: { kind: "lookup", table: 254, suppressPrefixLength: 0 } },
    { preference: 717, mark: { value: 0x3f000000, mask: 0x3f000000 }, incoming: "lan", action: { kind: "unreachable" } },
    { preference: 760, to: "198.19.0.0/16", action: { kind: "lookup", table: 21300 } },
  ],
  routes: [
    { table: 21301, destination: "default", kind: "unicast", nextHops: [{ device: "lan", via: "10.0.0.2", onlink: true }] },
    { table: 21301, destination: "default", kind: "unreachable", nextHops: [], metric: 4_294_967_295 },
    { table: 21302, destination: "default", kind: "unicast", nextHops: [{ device: "lan", via: "10.9.9.3", onlink: true }] },
    {
      table: 21300,
      destination: "198.19.0.1",
      kind: "unicast",
      nextHops: [
        { device: "binder-1", weight: 20 },
        { device: "binder-2", weight: 7 },
      ],
      source: "198.19.0.2",
      metric: 3,
      congestion: "reno",
      mtu: 1280,
    },
  ],
  endpoints: [
    { address: "198.19.16.2", device: "binder-1", backup: false },
    { address: "198.19.32.2", device: "binder-2", backup: true },
  ],
  subflowLimit: 8,
  sysctls: [
    { key: "net/mptcp/blackhole_timeout", mode: "set", value: "0" },
    { key: "net/ipv4/tcp_rmem", mode: "raise", value: "4096 131072 8388608" },
    { key: "net/ipv4/ip_forward", mode: "set", value: "1" },
    { key: "net/ipv4/conf/binder-1/rp_filter", mode: "set", value: "2" },
    { key: "net/ipv4/conf/binder-2/ignore_routes_with_linkdown", mode: "set", value: "1" },
    { key: "net/ipv4/there_is_no_such_thing", mode: "set", value: "1" },
  ],
  nft: `set fixed { type ipv4_addr; elements = { 10.0.0.1 } }
    set seen { type ipv4_addr; size 100; flags dynamic; }
    chain pre { type nat hook prerouting priority dstnat; policy accept;
      iifname "lan" tcp dport 80 counter redirect to :2130
    }
    chain out { type filter hook output priority filter; add @seen { ip daddr } counter
    }`,
};

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

function makeForeign(): void {
  ip("link", "add", "name", "lan", "type", "veth", "peer", "name", "far");
  for (const device of ["lan", "far"]) {
    writeFileSync(`/proc/sys/net/ipv6/conf/${device}/disable_ipv6`, "1");
    ip("link", "set", "dev", device, "up");
  }
  ip("address", "add", "10.0.0.1/24", "dev", "lan");
  ip("address", "add", "203.0.113.7/32", "dev", "lo");
  ip("rule", "add", "pref", "701", "from", "203.0.113.7", "lookup", "7");
  ip("rule", "add", "pref", "1500", "fwmark", "0x100/0x3f00", "lookup", "7", "protocol", "214");
  ip("route", "add", "198.51.100.0/24", "via", "10.0.0.2", "dev", "lan", "table", "7");
  ip("route", "add", "198.51.100.0/24", "via", "10.0.0.2", "dev", "lan", "table", "21301", "metric", "9");
  ip("mptcp", "endpoint", "add", "10.0.0.1", "dev", "lan", "subflow");
  run("nft", ["-f", "-"], "table inet other { chain pre { type filter hook prerouting priority 0; counter\n}\n}\n");
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

/** Waits until the condition holds, at most five seconds. Answers the milliseconds it took. */
async function until(condition: () => boolean): Promise<number> {
  const start = Date.now();
  while (!condition()) {
    if (Date.now() - start > 5_000) throw new Error(`in vain: ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return Date.now() - start;
}

test("the watcher", async (t) => {
  const kernel = new Kernel(host, ownership);
  t.strictSame(await kernel.set(home, forever), []);
  const controller = new AbortController();
  const calls: number[] = [];
  let monitors: number[] = [];
  const noting: Host = {
    ...host,
    processes: {
      ...host.processes,
      async converse(program, args) {
        const conversation = await host.processes.converse(program, args);
        monitors.push(conversation.pid);
        return conversation;
      },
    },
  };
  const watching = watchKernel(noting, ownership, controller.signal, () => calls.push(Date.now()));
  await until(() => monitors.length === 1);
  // It listens once it has told of something.
  await until(() => {
    ip("rule", "add", "pref", "703", "lookup", "21302", "protocol", "213");
    ip("rule", "delete", "pref", "703", "protocol", "213");
    return calls.length > 0;
  });
  await quiet(calls);

  await t.test("tells within a second of what is Binder's, once for a bunch", async (t) => {
    t.equal(await reaction(t, () => ip("rule", "flush", "protocol", "213"), calls), 1);
    t.equal(await reaction(t, () => ip("route", "delete", "default", "table", "21302"), calls), 1);
    // The kernel may tell of the other end's carrier a second later.
    await reaction(t, () => ip("link", "set", "dev", "lan", "down"), calls);
    await reaction(t, () => ip("link", "set", "dev", "lan", "up"), calls);
    await quiet(calls, 1_200);
    t.ok((await kernel.set(home, forever)).length === 0);
  });

  await t.test("says nothing of other people's rules and routes", async (t) => {
    await quiet(calls);
    const before = calls.length;
    for (let i = 0; i < 20; i += 1) {
      ip("route", "replace", "198.51.100.0/24", "via", `10.0.0.${10 + i}`, "dev", "lan", "table", "8");
      ip("rule", "add", "pref", `${2000 + i}`, "lookup", "8");
    }
    // One of Binder's is told after all those.
    ip("rule", "delete", "pref", "702");
    await until(() => calls.length > before);
    await quiet(calls);
    t.equal(calls.length, before + 1);
  });

  await t.test("starts anew when its ip dies, and asks for a look then", async (t) => {
    await quiet(calls);
    const before = calls.length;
    const [first = 0] = monitors;
    process.kill(first, "SIGKILL");
    await until(() => monitors.length === 2);
    await until(() => calls.length > before);
    t.pass();
  });

  await t.test("does not spin while its ip dies again and again", async (t) => {
    const started = Date.now();
    const seen = monitors.length;
    while (Date.now() - started < 1_500) {
      const last = monitors.at(-1) ?? 0;
      if (host.processes.kill(last, "SIGKILL")) await new Promise((resolve) => setTimeout(resolve, 10));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    t.ok(monitors.length - seen <= 5, `${monitors.length - seen} starts in 1.5 s`);
  });

  await t.test("ends with the signal, and takes its ip along", async (t) => {
    controller.abort(new Error("done"));
    await watching;
    monitors = monitors.filter((pid) => host.processes.kill(pid, "SIGHUP"));
    t.strictSame(monitors, []);
  });
  t.strictSame(await kernel.cleanup(forever), []);
});

/** Until nothing was told for a while. */
async function quiet(calls: readonly number[], ms = 500): Promise<void> {
  const start = Date.now();
  await until(() => Date.now() - Math.max(start, calls.at(-1) ?? 0) > ms);
}

/** Does something, and answers how many times the watcher told of it; the first time within a second. */
async function reaction(t: Test, work: () => unknown, calls: readonly number[]): Promise<number> {
  await quiet(calls);
  const before = calls.length;
  work();
  const ms = await until(() => calls.length > before);
  t.ok(ms < 1_000, `told after ${ms} ms`);
  await quiet(calls);
  return calls.length - before;
}
