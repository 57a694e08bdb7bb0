import fc from "fast-check";
import { adviceOn, explainDetail, isSpecific } from "../../src/openvpn/advice.ts";
import { dataCiphers } from "../../src/openvpn/ciphers.ts";
import { clientConfig } from "../../src/openvpn/client-config.ts";
import { LastError } from "../../src/openvpn/last-error.ts";
import { parseManagementLine, parseReply } from "../../src/openvpn/management.ts";
import { directive, OpenvpnTextError } from "../../src/openvpn/text.ts";
import { test } from "../harness/index.ts";

const client = {
  device: "binder-3",
  alias: "198.18.213.3",
  addresses: ["45.0.100.2", "45.0.101.2"],
  port: 21303,
  mtu: 1400,
  ciphers: ["CHACHA20-POLY1305", "AES-128-GCM"],
  keys: "/etc/binder/coop",
  management: "/run/binder/lane-3.sock",
};

test("a CPU without AES instructions prefers ChaCha20", (t) => {
  t.same(dataCiphers("flags\t\t: fpu vme aes avx\n"), ["AES-128-GCM", "CHACHA20-POLY1305"], "x86 with AES");
  t.same(dataCiphers("Features\t: fp asimd aes pmull\n"), ["AES-128-GCM", "CHACHA20-POLY1305"], "ARM with AES");
  t.same(dataCiphers("flags\t\t: fpu vme vaesni\n"), ["CHACHA20-POLY1305", "AES-128-GCM"], "x86 without");
  t.same(dataCiphers("cpu model\t\t: MIPS 24Kc V7.4\nASEs implemented\t: mips16\n"), ["CHACHA20-POLY1305", "AES-128-GCM"], "MIPS");
  t.same(dataCiphers(""), ["CHACHA20-POLY1305", "AES-128-GCM"], "nothing known");
});

test("the client's text: bound to the alias, every relay address, Binder's own device, no fragments, no judgement", (t) => {
  const lines = clientConfig(client).split("\n");
  for (const wanted of [
    "dev binder-3",
    "local 198.18.213.3",
    "remote 45.0.100.2 21303",
    "remote 45.0.101.2 21303",
    "ifconfig-noexec",
    "route-noexec",
    "persist-tun",
    "disable-dco",
    "ping-restart 0",
    "connect-retry 1 1",
    "mtu-disc yes",
    "data-ciphers CHACHA20-POLY1305:AES-128-GCM",
    "management /run/binder/lane-3.sock unix",
  ])
    t.ok(lines.includes(wanted), wanted);
});

test("no value breaks out of its line or its quotes", (t) => {
  const value = fc.string({ unit: "binary", maxLength: 40 });
  fc.assert(
    fc.property(value, (text) => {
      const control = Array.from(text).some((character) => (character.codePointAt(0) ?? 0) < 0x20 || character === "\x7f");
      let line: string;
      try {
        line = directive("remote", text);
      } catch (error) {
        return error instanceof OpenvpnTextError && control;
      }
      // What OpenVPN's parser makes of it (options_parse.c, parse_line): quotes open and close, a backslash takes the next.
      return !control && !line.includes("\n") && unquote(line.slice("remote ".length)) === text;
    }),
  );
  for (const text of ["a\nup /bin/sh", "a\rb", "a\0b", "\x1b[2J", "x\x7f"]) t.throws(() => directive("remote", text), OpenvpnTextError);
  t.throws(() => directive("up\nroute", "x"), OpenvpnTextError);
  t.throws(() => clientConfig({ ...client, keys: '/etc/binder/x"\nscript-security 2\n' }), OpenvpnTextError);
});

function unquote(text: string): string | undefined {
  if (!text.startsWith('"')) return /^[^\s"'\\#;]+$/.test(text) ? text : undefined;
  let value = "";
  for (let index = 1; index < text.length; index += 1) {
    if (text[index] === '"') return index === text.length - 1 ? value : undefined;
    if (text[index] === "\\") index += 1;
    value += text[index] ?? "";
  }
  return undefined;
}

test("lines of the management socket", (t) => {
  t.same(parseManagementLine(">STATE:1700000000,RECONNECTING,tls-error,,,,,"), {
    kind: "state",
    state: "RECONNECTING",
    detail: "tls-error",
  });
  t.same(parseManagementLine(">LOG:1700000000,N,VERIFY ERROR: depth=1, error=x"), {
    kind: "log",
    flags: "N",
    text: "VERIFY ERROR: depth=1, error=x",
  });
  t.same(parseManagementLine(">FATAL:Cannot open TUN/TAP"), { kind: "fatal", text: "Cannot open TUN/TAP" });
  for (const line of ["", "SUCCESS: hi", ">INFO:OpenVPN Management Interface", ">", "END"])
    t.equal(parseManagementLine(line), undefined, line);
  fc.assert(
    fc.property(fc.string(), (text) => {
      parseManagementLine(text);
      parseManagementLine(`>STATE:${text}`);
      parseManagementLine(`>LOG:${text}`);
    }),
  );
  t.pass("no line is too strange");
});

test("lines of the answers to Binder's questions", (t) => {
  t.same(parseReply("1764000000,CONNECTED,SUCCESS,10.8.0.2,45.0.100.2,21301,,"), { kind: "state", state: "CONNECTED", detail: "SUCCESS" });
  const session = (name: string): string =>
    `CLIENT_LIST,${name},45.0.2.2:55998,198.19.32.4,,48211,6029,2026-11-24 17:03:20,1764003800,UNDEF,17,3,AES-128-GCM`;
  t.same(parseReply(session("home-4-a4199e31828c87a8")), { kind: "client", commonName: "home-4-a4199e31828c87a8", id: 17 });
  for (const line of ["", "END", session(""), "CLIENT_LIST,home-4-a4,45.0.2.2:55998,17,", "HEADER,CLIENT_LIST,Common Name,Real Address"])
    t.equal(parseReply(line), undefined, line);
  fc.assert(
    fc.property(fc.string(), (text) => {
      parseReply(text);
      parseReply(`CLIENT_LIST,${text}`);
    }),
  );
});

test("of one attempt's errors the cause is told, of two attempts' the later", (t) => {
  const error = new LastError();
  error.tell("VERIFY ERROR: depth=1, error=unable to get local issuer certificate");
  error.tell("OpenSSL: error:0A000086:SSL routines::certificate verify failed:");
  error.tell("TLS Error: TLS handshake failed");
  error.tell(explainDetail("tls-error"));
  t.match(error.text, /^VERIFY ERROR/);
  error.endAttempt();
  error.tell("TLS Error: TLS key negotiation failed to occur within 60 seconds");
  t.match(error.text, /key negotiation/);
  error.tell("AUTH: Received control message: AUTH_FAILED");
  t.match(error.text, /AUTH_FAILED/);
  error.tell("");
  t.match(error.text, /AUTH_FAILED/);
  error.clear();
  t.equal(error.text, "");
});

test("every known error has advice, and a signal of Binder's own is none", (t) => {
  for (const [text, advice] of [
    ["TLS Error: TLS key negotiation failed", /UDP/],
    ["AUTH_FAILED", /new invite/],
    ["VERIFY ERROR: depth=1, error=certificate is not yet valid: CN=Binder relay, serial=1", /clock/],
    ["VERIFY ERROR: depth=0, error=certificate has expired: CN=relay, serial=2", /clock/],
    ["read UDPv4 [ECONNREFUSED]: Connection refused (fd=4,code=111)", /let it out/],
    ["read UDPv4 [EHOSTUNREACH]: No route to host (fd=4,code=113)", /lets UDP out/],
    ["VERIFY ERROR: depth=0", /operator/],
    ["Cannot load private key file /etc/binder/coop/home.key", /join again/],
    ["write UDPv4: Network is unreachable", /cable/],
  ] as const)
    t.match(adviceOn(text), advice, text);
  t.equal(adviceOn("something new"), "");
  t.equal(explainDetail("SIGUSR1"), "");
  t.notOk(isSpecific("TLS handshake failed"));
  t.ok(isSpecific("VERIFY ERROR: depth=0"));
});
