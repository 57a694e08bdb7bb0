import fc from "fast-check";
import { totalMemory } from "../../src/process/memory.ts";
import { descriptorLimit, maximumConnections } from "../../src/proxy/capacity.ts";
import { homeProxyConfig, type HomeProxyOptions } from "../../src/proxy/home-config.ts";
import { haproxyCommand, mptcpAddress, parseHaproxyVersion } from "../../src/proxy/mptcp.ts";
import { relayProxyConfig } from "../../src/proxy/relay-config.ts";
import { line, ProxyTextError } from "../../src/proxy/text.ts";
import { parseWeights } from "../../src/proxy/weights.ts";
import { parseSessions } from "../../src/proxy/sessions.ts";
import { test } from "../harness/index.ts";

const wrapped = { kind: "mptcpize", program: "/usr/sbin/haproxy", mptcpize: "/usr/bin/mptcpize" } as const;
const native = { kind: "native", program: "/usr/sbin/haproxy" } as const;
const home: HomeProxyOptions = {
  means: wrapped,
  service: "198.19.0.1",
  laneAddress: (lane) => `198.19.${String(lane * 16)}.2`,
  maximumConnections: 1000,
  statsSocket: "/run/binder/proxy.sock",
  stateFile: "/run/binder/proxy.state",
  runAs: { user: "nobody", group: "nogroup" },
};
const relay = {
  means: wrapped,
  service: "198.19.0.1",
  lanePrefix: "198.19.0.0/16",
  homeMask: "0.0.15.255",
  refused: ["10.0.0.0/8"],
  refusedPorts: [25],
  maximumConnections: 1000,
  connectionsPerHome: 100,
  statsSocket: "/run/binder/relay-proxy.sock",
  runAs: { user: "binder-proxy", group: "binder-proxy" },
};
const both = [homeProxyConfig(home), relayProxyConfig(relay)];

/** HAProxy's time format, to hours. */
function hours(text: string): number {
  const [, value = "", unit = ""] = /^([0-9]+)(ms|s|m|h|d)$/.exec(text) ?? [];
  return (Number(value) * { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[unit as "ms"]) / 3_600_000;
}

test("idle sessions live for a day at both ends, with keep-alives; the middle of a connection is spliced", (t) => {
  for (const text of both) {
    // A connection that stands has `timeout tunnel` where there is one, otherwise those of its two sides.
    const named = (name: string): readonly number[] =>
      [...text.matchAll(new RegExp(`^timeout ${name} (\\S+)$`, "gm"))].map(([, time = ""]) => hours(time));
    const idle = named("tunnel").length > 0 ? named("tunnel") : [...named("client"), ...named("server")];
    t.ok(idle.length > 0 && idle.every((time) => time >= 24), `${idle.join(", ")} hours`);
    for (const option of ["option clitcpka", "option srvtcpka", "option splice-auto"]) t.ok(text.split("\n").includes(option), option);
  }
});

test("a silent destination is given up within ten seconds, a refusing one at once", (t) => {
  const [, time = ""] = /^timeout connect (\S+)$/m.exec(both[1] ?? "") ?? [];
  t.ok(hours(time) * 3600 < 10, time);
  t.match(both[1], /^retries 0$/m);
});

test("at home a connection that one lane does not answer is tried on another", (t) => {
  t.match(both[0], /^option redispatch 1$/m);
  t.match(both[0], /^retries 3$/m);
  t.match(both[0], /^server lane15 198\.19\.0\.1:2130 source 198\.19\.240\.2 send-proxy-v2 weight 0$/m);
});

test("both ends refuse before they are full", (t) => {
  for (const text of both) t.match(text, /^maxconn 1000\n[^]*^tcp-request connection reject if \{ fe_conn gt 900 \}$/m);
});

test("the relay takes the PROXY header from lanes alone, and refuses what is refused", (t) => {
  t.match(both[1], /^bind 198\.19\.0\.1:2130 accept-proxy$/m);
  t.match(both[1], /reject unless \{ src 198\.19\.0\.0\/16 \}/);
  t.match(both[1], /session reject if \{ dst 10\.0\.0\.0\/8 \}/);
  t.match(both[1], /session reject if \{ dst_port 25 \}/);
});

test("MPTCP by HAProxy itself from 3.1 on, by mptcpize before", (t) => {
  t.same(parseHaproxyVersion("HAProxy version 2.6.12-1+deb12u4 2026/10/17"), [2, 6]);
  t.same(parseHaproxyVersion("HAProxy version 3.2.0 2025/05/28"), [3, 2]);
  t.equal(parseHaproxyVersion("nginx"), undefined);
  t.equal(mptcpAddress(native, "198.19.0.1"), "mptcp4@198.19.0.1");
  t.match(homeProxyConfig({ ...home, means: native }), /^server lane1 mptcp4@198\.19\.0\.1:2130 /m);
  t.same(haproxyCommand(wrapped, "/x").args, ["run", "/usr/sbin/haproxy", "-db", "-f", "/x"]);
});

test("capacity follows memory and descriptors", (t) => {
  t.equal(maximumConnections(128 * 2 ** 20, 1e6), 512);
  t.equal(maximumConnections(2 ** 40, 1e6), 20_000);
  t.equal(maximumConnections(2 ** 40, 224), 32);
  t.equal(totalMemory("MemTotal:         249088 kB\n"), 249088 * 1024);
  t.equal(totalMemory("?"), 128 * 2 ** 20);
  t.equal(descriptorLimit("Max open files            1024                 4096                 files\n"), 4096);
  fc.assert(fc.property(fc.nat(), fc.nat(), (memory, descriptors) => maximumConnections(memory, descriptors) >= 1));
});

test("nothing but plain words gets into HAProxy's text or on its socket", (t) => {
  for (const word of ["a b", "a\nb", "a\r", "a\0", 'a"b', "a'b", "a#b", "a\\b", "$HOME", "", "a\x7f", "é"])
    t.throws(() => line("bind", word), ProxyTextError);
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (word) => {
      try {
        return line("bind", word) === `bind ${word}` && !/[\s"'#\\$]|[^\x21-\x7e]/.test(word);
      } catch (error) {
        return error instanceof ProxyTextError;
      }
    }),
  );
});

test("weights are read from HAProxy's answer", (t) => {
  const text = [
    "1",
    "# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight",
    "3 lanes 1 lane1 198.19.0.1 2 0 256 0 7",
    "3 lanes 2 lane2 198.19.0.1 2 0 0 0 7",
    "",
  ].join("\n");
  t.same(
    [...parseWeights(text)],
    [
      [1, 256],
      [2, 0],
    ],
  );
});

/** As HAProxy 2.6 answers `show sess all`, in part. */
const SESSIONS = `0x560e6cc71a40: [23/Nov/2026:06:19:42.977486] id=0 proto=tcpv4 source=192.168.1.10:48330
  flags=0x4a, conn_retries=0, conn_exp=<NEVER> conn_et=0x000 srv_conn=0x560e6cbb09f0, pend_pos=(nil) waiting=0 epoch=0
  frontend=capture (id=2 mode=tcp), listener=? (id=1) addr=45.0.200.2:5001
  backend=lanes (id=3 mode=tcp) addr=198.19.16.2:32880
  server=lane1 (id=1) addr=198.19.0.1:2130
  task=0x560e6cd8cca0 (state=0x00 nice=0 calls=2 rate=2 exp=2s tmask=0x1 age=0s)
0x560e6cd8d2b0: [23/Nov/2026:06:19:42.977727] id=1 proto=unix_stream source=unix:1
  flags=0x8, conn_retries=0, conn_exp=<NEVER> conn_et=0x000 srv_conn=(nil), pend_pos=(nil) waiting=0 epoch=0
  frontend=GLOBAL (id=0 mode=tcp), listener=? (id=1) addr=unix:1
  backend=<NONE> (id=-1 mode=-)
  server=<NONE> (id=-1)

`;

test("sessions as HAProxy lists them", (t) => {
  t.same(parseSessions(SESSIONS), [
    { id: "0x560e6cc71a40", source: "198.19.16.2:32880" },
    { id: "0x560e6cd8d2b0", source: "" },
  ]);
  t.same(parseSessions(""), []);
});
