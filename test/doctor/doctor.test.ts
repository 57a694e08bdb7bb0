import { diagnose } from "../../src/doctor/diagnose.ts";
import { nftTrials } from "../../src/doctor/nft-trials.ts";
import { earlierRules } from "../../src/doctor/rules.ts";
import { readSystem, type System } from "../../src/doctor/system.ts";
import type { Facts, Finding, ProgramFact, ProgramName } from "../../src/doctor/types.ts";
import { renderDiagnosis } from "../../src/cli/doctor/table.ts";
import { machines } from "../cli/machine.ts";
import { test } from "../harness/index.ts";

const debian: System = { name: "Debian GNU/Linux 13 (trixie)", packages: "apt" };
const opkg: System = { name: "OpenWrt 24.10.0", packages: "opkg" };
const apk: System = { name: "OpenWrt 25.12.0", packages: "apk" };
const other: System = { name: "Void Linux", packages: "unknown" };

const there = (text: string): ProgramFact => ({ kind: "there", text });
const MISSING: ProgramFact = { kind: "missing" };
const programs: Facts["programs"] = new Map<ProgramName, ProgramFact>([
  ["openvpn", there("OpenVPN 2.6.14 x86_64-pc-linux-gnu [SSL (OpenSSL)]")],
  ["haproxy", there("HAProxy version 2.6.12-1+deb12u4 2026/10/17 - https://haproxy.org/")],
  ["mptcpize", there("mptcpize")],
  ["nft", there("nftables v1.0.6 (Lester Gooch #5)")],
  ["ip", there("ip utility, iproute2-6.1.0, libbpf 1.1.2")],
  ["ss", there("ss utility, iproute2-6.1.0")],
  ["conntrack", there("conntrack v1.4.7")],
  ["dnsmasq", there("Dnsmasq version 2.90")],
  ["openssl", there("OpenSSL 3.0.17")],
  ["modprobe", there("kmod version 30")],
]);

/** A home on Debian with nothing wrong. */
const healthy: Facts = {
  system: debian,
  home: true,
  relay: false,
  root: true,
  kernel: {
    release: "6.12.48",
    mptcp: "1",
    tun: "",
    policyRouting: "",
    ipMptcp: "",
    nft: new Map(nftTrials.map(({ name }) => [name, ""])),
    congestion: ["reno", "cubic"],
    loadable: [],
  },
  programs,
  limits: { memory: 512 << 20, available: 300 << 20, descriptors: 20_000, receiveBuffer: 8_388_608, running: true },
  clock: Date.UTC(2026, 5, 1),
  conflicts: { mwan3: false, flowtables: false, earlierRules: [], overlaps: [] },
  configs: [{ file: "/etc/config/binder", errors: [] }],
  wantedCongestion: ["cubic"],
  wantsDnsmasq: false,
  missingDevices: [],
};

const without = (...names: readonly ProgramName[]): Facts["programs"] =>
  new Map([...programs].map(([name, fact]) => [name, names.includes(name) ? MISSING : fact]));
const withProgram = (name: ProgramName, text: string): Facts["programs"] => new Map([...programs, [name, there(text)]]);
const kernel = (changes: Partial<Facts["kernel"]>): Facts => ({ ...healthy, kernel: { ...healthy.kernel, ...changes } });
const limits = (changes: Partial<Facts["limits"]>): Facts => ({ ...healthy, limits: { ...healthy.limits, ...changes } });
const conflicts = (changes: Partial<Facts["conflicts"]>): Facts => ({ ...healthy, conflicts: { ...healthy.conflicts, ...changes } });

function finding(facts: Facts, check: string): Finding {
  const found = diagnose(facts).findings.find((candidate) => candidate.check === check && candidate.level !== "ok");
  return found ?? { check, level: "ok", found: "nothing of it is wrong", advice: "", packages: [] };
}

test("a healthy machine has nothing to do", (t) => {
  const diagnosis = diagnose(healthy);
  t.strictSame(
    diagnosis.findings.filter(({ level, advice, packages }) => level !== "ok" || advice !== "" || packages.length > 0),
    [],
  );
  t.ok(diagnosis.ok);
  t.equal(diagnosis.install, "");
  t.match(renderDiagnosis(diagnosis), /All is well/);
});

test("what is missing is named as this system's packages are, in one line to type", (t) => {
  const bare = { ...kernel({ tun: "ENOENT" }), programs: without("openvpn", "haproxy", "mptcpize", "nft", "ip") };
  const install = (system: System): string => diagnose({ ...bare, system }).install;
  t.equal(install(debian), "apt-get update && apt-get install haproxy iproute2 mptcpize nftables openvpn");
  t.equal(install(opkg), "opkg update && opkg install haproxy ip-full kmod-tun mptcpize nftables-json openvpn-openssl");
  t.equal(install(apk), "apk update && apk add haproxy ip-full kmod-tun mptcpize nftables-json openvpn-openssl");
  t.equal(install(other), "install with this system's package manager: haproxy, iproute2, mptcpize (or mptcpd), nftables, openvpn");
  const diagnosis = diagnose(bare);
  t.notOk(diagnosis.ok);
  t.equal(diagnosis.findings.filter(({ level }) => level === "error").length, 6);
  t.match(renderDiagnosis(diagnosis), /ERROR {4}haproxy .*not installed: connections can't be carried\n +-> install haproxy\n/);
  t.match(finding(bare, "TUN").advice, /modprobe tun/);
});

test("the system is known by /etc/os-release", (t) => {
  t.strictSame(readSystem('PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nID=debian\n', false), debian);
  t.strictSame(readSystem("NAME='Linux Mint'\nID=linuxmint\nID_LIKE=\"ubuntu debian\"\n", false), { name: "Linux Mint", packages: "apt" });
  t.strictSame(readSystem('NAME="OpenWrt"\nID="openwrt"\nID_LIKE="lede openwrt"\nPRETTY_NAME="OpenWrt 24.10.0"\n', false), opkg);
  t.strictSame(readSystem('ID="openwrt"\nPRETTY_NAME="OpenWrt 25.12.0"\n', true), apk);
  t.strictSame(readSystem("PRETTY_NAME=Void Linux\nID=void", false), other);
  t.strictSame(readSystem("", false), { name: "this system", packages: "unknown" });
});

test("versions that are too old are errors, and the newest need less", (t) => {
  const of = (name: ProgramName, text: string, check: string = name): Finding =>
    finding({ ...healthy, programs: withProgram(name, text) }, check);
  t.equal(of("openvpn", "OpenVPN 2.5.9 mips-openwrt-linux-gnu").level, "error");
  t.equal(of("openvpn", "OpenVPN 2.10.0 mips").level, "ok");
  t.equal(of("openvpn", "").level, "warning");
  t.equal(of("haproxy", "HA-Proxy version 2.3.1").level, "error");
  t.equal(of("haproxy", "HAProxy version 2.4.0").level, "ok");
  const bare = without("mptcpize");
  t.equal(finding({ ...healthy, programs: bare }, "mptcpize").level, "error");
  const newest = new Map([...bare, ["haproxy", there("HAProxy version 3.1.2-9a1b2c 2026/01/01")] as const]);
  t.equal(finding({ ...healthy, programs: newest }, "mptcpize").level, "ok");
});

test("a kernel without MPTCP, TUN, policy routing or parts of nf_tables is told so", (t) => {
  t.match(finding(kernel({ mptcp: undefined, release: "5.4.0" }), "MPTCP"), { level: "error", found: /Linux 5\.4\.0 has no MPTCP/ });
  t.match(finding({ ...kernel({ mptcp: undefined }), system: opkg }, "MPTCP").advice, /24\.10/);
  t.equal(finding(kernel({ release: "5.15.0-91-generic" }), "MPTCP").level, "warning");
  t.equal(finding(kernel({ mptcp: "0" }), "MPTCP").level, "ok", "Binder switches it on");
  t.match(finding({ ...kernel({ ipMptcp: 'Object "mptcp" is unknown' }), system: opkg }, "ip mptcp"), {
    level: "error",
    packages: ["ip-full"],
  });
  t.equal(finding(kernel({ policyRouting: "RTNETLINK answers: Operation not supported" }), "policy routing").level, "error");
  t.match(finding(kernel({ tun: "EPERM" }), "TUN"), { level: "error", advice: /container/ });

  const nft = (name: string): Facts["kernel"]["nft"] =>
    new Map([...healthy.kernel.nft, [name, "Could not process rule: No such file or directory"]]);
  t.match(finding({ ...kernel({ nft: nft("fib") }), system: apk }, "nftables"), {
    level: "error",
    packages: ["kmod-nft-fib"],
    found: /mesh/,
  });
  t.match(finding(kernel({ nft: nft("reset tcp option") }), "nftables").found, /5\.18/);
  t.equal(finding(kernel({ nft: nft("socket owner") }), "nftables").level, "ok", "a home needs no confinement");
  t.match(finding({ ...kernel({ nft: nft("socket owner") }), relay: true }, "nftables"), { level: "error", found: /open proxy/ });
});

test("an ordinary user is told to come back as root, not that the machine lacks it all", (t) => {
  const denied = new Map(nftTrials.map(({ name }) => [name, "Operation not permitted (you must be root)"]));
  const facts: Facts = { ...kernel({ nft: denied, tun: "EACCES" }), root: false };
  for (const check of ["nftables", "TUN"]) t.match(finding(facts, check), { level: "warning", advice: /as root/, packages: [] });
  t.ok(diagnose(facts).ok);
});

test("a relay needs more than a home", (t) => {
  const facts: Facts = { ...healthy, programs: without("openssl", "dnsmasq", "conntrack") };
  t.ok(diagnose(facts).ok);
  const relay: Facts = { ...facts, relay: true, wantsDnsmasq: true };
  t.equal(finding(relay, "openssl").level, "error");
  t.equal(finding(relay, "dnsmasq").level, "error");
  t.equal(finding(relay, "conntrack").level, "warning");
  t.equal(finding({ ...relay, wantsDnsmasq: false }, "dnsmasq").level, "ok", "another resolver is named");
});

test("a congestion control is there, can be loaded, or is told of", (t) => {
  const wanted: Facts = { ...healthy, wantedCongestion: ["bbr"] };
  t.match(finding(wanted, "congestion"), { level: "warning", found: /no congestion control bbr; it has reno, cubic/ });
  t.strictSame(finding({ ...wanted, system: opkg }, "congestion").packages, ["kmod-tcp-bbr"]);
  t.equal(finding({ ...kernel({ loadable: ["bbr"] }), wantedCongestion: ["bbr"] }, "congestion").level, "ok");
});

test("memory, open files, buffers and the clock", (t) => {
  t.equal(finding(limits({ memory: 32 << 20 }), "memory").level, "error");
  t.equal(finding(limits({ memory: 64 << 20 }), "memory").level, "warning");
  t.equal(finding(limits({ memory: 128 << 20, available: 60 << 20 }), "memory").level, "ok");
  t.equal(finding(limits({ available: 10 << 20 }), "memory").level, "warning");
  t.match(finding(limits({ descriptors: 1024 }), "connections"), { level: "warning", advice: /open files/ });
  t.match(finding(limits({ memory: 128 << 20 }), "connections"), { level: "warning", advice: /memory/ });
  t.equal(finding(limits({ receiveBuffer: 1_000_000 }), "buffers").level, "warning");
  t.equal(finding(limits({ receiveBuffer: 1_000_000, running: false }), "buffers").level, "ok", "Binder raises it");
  t.match(finding({ ...healthy, clock: Date.UTC(2001, 0, 1) }, "clock"), { level: "warning", found: /2001-01-01/ });
});

test("other software in the way, and a wrong configuration", (t) => {
  t.match(finding(conflicts({ earlierRules: ["500: from all lookup 100"] }), "rules"), { level: "warning", found: /500: from all/ });
  t.match(finding(conflicts({ overlaps: [{ prefix: "198.19.0.0/16", route: "198.19.4.0/24 via 10.0.0.1 dev br-mesh" }] }), "addresses"), {
    level: "error",
    found: /198\.19\.0\.0\/16 overlap.*br-mesh/,
  });
  t.equal(finding(conflicts({ flowtables: true }), "offloading").level, "warning");
  t.ok(diagnose(conflicts({ mwan3: true })).ok);
  const wrong = { ...healthy, configs: [{ file: "/etc/config/binder", errors: ["/etc/config/binder:3: nonsense."] }] };
  t.match(finding(wrong, "configuration"), { level: "error", found: /:3: nonsense/, advice: /binder check \/etc\/config\/binder/ });
  t.match(finding({ ...healthy, configs: [] }, "configuration"), { level: "warning", advice: /binder join/ });
  t.match(finding({ ...healthy, missingDevices: ["br-mesh"] }, "devices").found, /br-mesh/);
});

test("of ip's rules, those that come before Binder's and lead elsewhere", (t) => {
  const text = [
    "0:\tfrom all lookup 255",
    "10:\tfrom all lookup 255",
    "100:\tfrom 10.0.0.0/8 lookup 100",
    "200:\tfrom all lookup 254 suppress_prefixlength 0",
    "650:\tfrom all lookup 9 proto 213",
    "701:\tfrom 198.18.213.1 lookup 21301 proto 213",
    "1001:\tfrom all iif wan lookup 1",
    "32766:\tfrom all lookup 254",
    "",
  ].join("\n");
  t.strictSame(earlierRules(text, 213), ["100: from 10.0.0.0/8 lookup 100"]);
});

test("on a real machine: what is wrong is found, and nothing is changed", { timeout: 60_000 }, async (t) => {
  const [machine] = await machines(t, "home");
  const { node } = machine;
  const state = async (): Promise<string> => {
    const texts = await Promise.all([
      node.must("nft", ["list", "ruleset"]),
      node.must("ip", ["rule", "show"]),
      node.must("ip", ["route", "show", "table", "all"]),
      node.must("ip", ["mptcp", "limits", "show"]),
      node.must("sysctl", ["net.ipv4.tcp_rmem", "net.mptcp.enabled", "net.ipv4.ip_forward"]),
    ]);
    return texts.join("\n");
  };
  const before = await state();
  const well = await machine.binder(["doctor"]);
  t.match(well, { status: 0, stdout: /^ok {7}nftables .*can do all/m });
  t.match(well.stdout, /warning {2}configuration .*there is none yet/);
  t.match((await machine.binder(["doctor", "--relay"])).stdout, /^ok +openssl/m);
  t.equal(await state(), before, "nothing is changed");

  await node.write(
    "/etc/config/binder",
    "config binder 'main'\n\toption alias_prefix '198.18.213.0/24'\n\nconfig lan 'home'\n\toption device 'lan7'\n",
  );
  await node.write("/usr/local/sbin/haproxy", "#!/bin/sh\necho 'HAProxy version 2.2.9 2021/02/06'\n", 0o755);
  await node.ip(["rule add pref 500 from 10.9.0.0/16 lookup 100", "route add 198.18.213.128/25 dev lo"]);
  const json = await machine.binder(["doctor", "--json"]);
  t.equal(json.status, 1);
  const told = JSON.parse(json.stdout) as { ok: boolean; findings: Finding[] };
  t.equal(told.ok, false);
  t.strictSame(
    told.findings.filter(({ level }) => level !== "ok").map(({ check, level }) => `${check} ${level}`),
    ["haproxy error", "rules warning", "addresses error", "devices warning"],
  );
  t.match((await machine.binder(["doctor"])).stdout, /2 errors and 2 warnings/);
});
