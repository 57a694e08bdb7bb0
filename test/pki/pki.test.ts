import { HostError, type Host, type RunResult } from "../../src/host/types.ts";
import { decodeInvite } from "../../src/invite/codec.ts";
import { makeAuthority, makeCertificate } from "../../src/pki/certificate.ts";
import { PkiError } from "../../src/pki/error.ts";
import { renderOpensslConfig } from "../../src/pki/openssl-config.ts";
import { clientConfig } from "../../src/openvpn/client-config.ts";
import { serverConfig } from "../../src/openvpn/server-config.ts";
import { connect, type Machine, machines } from "../cli/machine.ts";
import { test } from "../harness/index.ts";
import type { Running } from "../testbed/index.ts";

const HOME = "/etc/binder/school";
const RELAY = "/etc/binder/relay";
/** A router's first boot, a clock that jumped ahead, and years that no 32-bit clock has. */
const CLOCKS = { 2001: 978_310_800, 2026: 1_780_000_000, 2040: 2_208_992_400, 2200: 7_258_122_000, 9998: 253_339_232_400 };

/** A machine that is a relay, and its own first home. */
async function both(t: Parameters<typeof machines>[0]): Promise<Machine> {
  const [machine] = await machines(t, "both");
  await connect(machine, "45.0.0.1/24", "45.0.0.254");
  await machine.must(["relay", "init", "--address", "45.0.0.1", "--name", "school"]);
  await machine.must(["join"], await machine.must(["relay", "add-home", "anna"]));
  return machine;
}

test("certificates hold for their purpose alone, with any clock from 2001 to 9998", async (t) => {
  const machine = await both(t);
  const verify = async (file: string, purpose: string, at: number, authority = `${RELAY}/ca.crt`): Promise<RunResult["status"]> =>
    (await machine.node.run("openssl", ["verify", "-x509_strict", "-attime", String(at), "-CAfile", authority, "-purpose", purpose, file]))
      .status;
  for (const [year, at] of Object.entries(CLOCKS)) {
    t.equal(await verify(`${RELAY}/server.crt`, "sslserver", at), 0, `the relay's in ${year}`);
    t.equal(await verify(`${HOME}/home.crt`, "sslclient", at, `${HOME}/ca.crt`), 0, `the home's in ${year}`);
  }
  t.not(await verify(`${RELAY}/server.crt`, "sslclient", CLOCKS[2026]), 0, "the relay's is no home's");
  t.not(await verify(`${HOME}/home.crt`, "sslserver", CLOCKS[2026]), 0, "the home's is no relay's");
  t.not(await verify(`${HOME}/home.crt`, "sslclient", 946_684_799), 0, "in 1999 nothing holds: the clock is looked at");
  const text = async (file: string): Promise<string> => await machine.node.must("openssl", ["x509", "-in", file, "-noout", "-text"]);
  const home = await text(`${HOME}/home.crt`);
  t.match(home, /Not Before: Jan +1 00:00:00 2000 GMT\s+Not After : Dec 31 23:59:59 9999 GMT/);
  t.match(home, /Subject: CN = home-2-[0-9a-f]{16}\n/);
  t.match(home, /ASN1 OID: prime256v1/);
  t.match(home, /Basic Constraints: critical\s+CA:FALSE/);
  t.match(home, /Key Usage: critical\s+Digital Signature\n/);
  t.match(home, /Extended Key Usage: \s+TLS Web Client Authentication\n/);
  t.match(await text(`${RELAY}/server.crt`), /Extended Key Usage: \s+TLS Web Server Authentication\n/);
  t.match(await text(`${RELAY}/ca.crt`), /CA:TRUE, pathlen:0[^]*Key Usage: critical\s+Digital Signature, Certificate Sign\n/);
});

test("no home can sign another, and no relay's home is another relay's", async (t) => {
  const machine = await both(t);
  const [stranger] = await machines(t, "stranger");
  await stranger.must(["relay", "init", "--address", "45.0.0.2"]);
  const foreign = decodeInvite(await stranger.must(["relay", "add-home", "eve"]));
  await machine.node.write("/tmp/foreign.crt", foreign.certificate);
  const { node } = machine;
  t.not((await node.run("openssl", ["verify", "-CAfile", `${RELAY}/ca.crt`, "/tmp/foreign.crt"])).status, 0);
  await node.must("openssl", [
    "req",
    "-new",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-nodes",
    "-keyout",
    "/tmp/k",
    "-out",
    "/tmp/r",
    "-subj",
    "/CN=home-3-00",
  ]);
  await node.must("openssl", [
    "x509",
    "-req",
    "-in",
    "/tmp/r",
    "-CA",
    `${HOME}/home.crt`,
    "-CAkey",
    `${HOME}/home.key`,
    "-CAcreateserial",
    "-out",
    "/tmp/forged.crt",
  ]);
  t.not(
    (await node.run("openssl", ["verify", "-CAfile", `${RELAY}/ca.crt`, "-untrusted", `${HOME}/home.crt`, "/tmp/forged.crt"])).status,
    0,
  );
});

test("home and relay finish a TLS handshake that both verify, with the home's clock at 2001 and at 2040", async (t) => {
  const { node } = await both(t);
  const port = "4433";
  const server = node.start("openssl", [
    "s_server",
    "-accept",
    port,
    "-cert",
    `${RELAY}/server.crt`,
    "-key",
    `${RELAY}/server.key`,
    "-CAfile",
    `${RELAY}/ca.crt`,
    "-Verify",
    "1",
    "-verify_return_error",
    "-purpose",
    "sslclient",
    "-quiet",
    "-naccept",
    "3",
    "-www",
  ]);
  await until(server, async () => (await node.must("ss", ["-Hltn", `sport = :${port}`])) !== "");
  const shake = async (year: 2001 | 2040, cert: readonly string[]): Promise<string> => {
    const trust = ["-CAfile", `${HOME}/ca.crt`, "-verify_return_error", "-attime", String(CLOCKS[year])];
    // The page says that the relay took the home's certificate: with TLS 1.3 the handshake alone does not.
    const { stdout, stderr } = await node.run("openssl", ["s_client", "-connect", `127.0.0.1:${port}`, ...trust, ...cert, "-ign_eof"], {
      input: "GET / HTTP/1.0\r\n\r\n",
    });
    return stdout + stderr;
  };
  const own = ["-cert", `${HOME}/home.crt`, "-key", `${HOME}/home.key`];
  for (const year of [2001, 2040] as const)
    t.match(await shake(year, own), /Verify return code: 0 \(ok\)[^]*HTTP\/1\.0 200 ok/i, String(year));
  t.notMatch(await shake(2040, []), /200 ok/i, "without a certificate there is no page");
  await server.end();
});

async function until(running: Running, condition: () => Promise<boolean> | boolean): Promise<void> {
  const end = Date.now() + 15_000;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`it did not come true within 15 s: ${running.lines.slice(-5).join("; ")} ${running.stderr}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** What becomes of an OpenVPN client with the keys of HOME: the line that decides it. */
async function dial({ node }: Machine): Promise<string> {
  const options = {
    device: "binder-1",
    alias: "127.0.0.2",
    addresses: ["127.0.0.1"],
    port: 21301,
    mtu: 1400,
    ciphers: ["CHACHA20-POLY1305"],
    keys: HOME,
    management: "/run/home.sock",
  };
  await node.write("/tmp/client.conf", clientConfig(options), 0o600);
  const client = node.start("openvpn", ["--config", "/tmp/client.conf", "--verb", "3"]);
  const verdict = /PUSH_REPLY[^']*|Initialization Sequence Completed|AUTH_FAILED|TLS Error.*|Options error.*/;
  await until(client, () => client.lines.some((line) => verdict.test(line)));
  await client.end();
  return client.lines.map((line) => verdict.exec(line)?.[0]).find((line) => line !== undefined) ?? "";
}

test("OpenVPN lets a home in with its own address, and not after a new key or its removal", async (t) => {
  const machine = await both(t);
  const { node } = machine;
  await node.ip([
    "tuntap add dev binder-l1 mode tun",
    "link set dev binder-l1 up",
    "address add 198.19.16.1/20 dev binder-l1",
    "tuntap add dev binder-1 mode tun",
  ]);
  const options = {
    device: "binder-l1",
    port: 21301,
    address: "198.19.16.1",
    netmask: "255.255.240.0",
    mtu: 1400,
    clients: 256,
    ciphers: ["CHACHA20-POLY1305"],
    keys: RELAY,
    clientConfigs: `${RELAY}/ccd/1`,
    management: "/run/lane1.sock",
    user: "binder-vpn",
  };
  await node.write("/tmp/server.conf", serverConfig(options), 0o600);
  const server = node.start("openvpn", ["--config", "/tmp/server.conf", "--verb", "3"]);
  t.teardown(async () => await server.end());
  await until(server, () => server.lines.some((line) => line.includes("Initialization Sequence Completed")));
  const lets = async (what: string): Promise<boolean> =>
    t.match(await dial(machine), /PUSH_REPLY.*ifconfig 198\.19\.16\.2 255\.255\.240\.0/, what);
  const refuses = async (what: string): Promise<boolean> => t.equal(await dial(machine), "AUTH_FAILED", what);
  await lets("a home that joined");
  const renewed = await machine.must(["relay", "rekey", "anna"]);
  await refuses("the old key, without a restart of the server");
  await machine.must(["join"], renewed);
  await lets("the new key");
  await machine.must(["relay", "remove-home", "anna"]);
  await refuses("a home that was removed");
});

test("openssl's configuration carries no more than it should", (t) => {
  t.match(renderOpensslConfig("/run/binder/keys-0a", "home-2-0a"), /\ncommonName = home-2-0a\n/);
  for (const [directory, name] of [
    ["/run/a b", "home"],
    ["relative", "home"],
    ["/run/$HOME", "home"],
    ["/run", "a\nb"],
    ["/run", "$ENV::SECRET"],
    ["/run", ""],
    ["/run", "x".repeat(65)],
  ] as const) {
    t.throws(() => renderOpensslConfig(directory, name), PkiError, JSON.stringify([directory, name]));
  }
});

/** A host whose programs are these, and whose files are a Map. */
function fakeHost(run: (program: string, args: readonly string[]) => Promise<RunResult>): {
  host: Host;
  files: Map<string, Uint8Array>;
  runs: string[][];
} {
  const files = new Map<string, Uint8Array>();
  const runs: string[][] = [];
  const no = (): never => {
    throw new Error("not to be used here");
  };
  const host: Host = {
    files: {
      read: async (path) => await Promise.resolve(files.get(path) ?? no()),
      replace: async (path, bytes) => await Promise.resolve(void files.set(path, bytes)),
      poke: no,
      list: async () => await Promise.resolve([]),
      status: async () => await Promise.resolve(undefined),
      makeDirectory: async () => await Promise.resolve(),
      remove: async (path) => {
        for (const name of [...files.keys()]) if (name.startsWith(path)) files.delete(name);
        await Promise.resolve();
      },
      setOwner: no,
    },
    clock: { monotonic: no, wall: no, sleep: no },
    processes: {
      pid: 1,
      run: async (program, args) => {
        runs.push([program, ...args]);
        return await run(program, args);
      },
      detach: no,
      converse: no,
      kill: no,
      find: no,
    },
    sockets: { connectUnix: no, listenUnix: no, bindUdp: no },
    program: { args: [], stdinIsTerminal: false, stdoutIsTerminal: false, readStdin: no, stdout: no, stderr: no, onSignal: no, exit: no },
    random: (count) => new Uint8Array(count),
  };
  return { host, files, runs };
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const never = new AbortController().signal;

test("a program that is missing, or fails, is named with what to do, and no key shows", async (t) => {
  const missing = fakeHost(async () => await Promise.reject(new HostError("ENOENT", "spawn openssl ENOENT")));
  await t.rejects(
    makeAuthority(missing.host, "ca", never),
    /^openssl is not installed: install the package openssl \(Debian\) or openssl-util \(OpenWrt\)$/,
  );
  const body = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgx7Xc";
  const noise = `first\n-----BEGIN PRIVATE KEY-----\n${body}\n-----END PRIVATE KEY-----\nit \u001b[31mbroke\nunable to write\n`;
  const failing = fakeHost(async () => await Promise.resolve({ status: 1, stdout: bytes(body), stderr: bytes(noise) }));
  const failure = await makeAuthority(failing.host, "ca", never).catch((error: unknown) =>
    error instanceof PkiError ? error.message : "",
  );
  t.equal(failure, "openssl req failed with status 1: first; it  [31mbroke; unable to write");
  t.equal(failing.files.size, 0, "nothing is left of the attempt");
});

test("what a program is started with names files, and holds no key", async (t) => {
  const made = fakeHost(async (_program, args) => {
    const out = args[args.indexOf("-out") + 1] ?? "";
    const keyOut = args.indexOf("-keyout");
    made.files.set(out, bytes("-----BEGIN X-----\n"));
    if (keyOut >= 0) made.files.set(args[keyOut + 1] ?? "", bytes("-----BEGIN PRIVATE KEY-----\nSECRET\n"));
    return await Promise.resolve({ status: 0, stdout: new Uint8Array(), stderr: new Uint8Array() });
  });
  const pair = await makeCertificate(
    made.host,
    "client",
    "home-2-0a",
    { certificate: "/etc/binder/relay/ca.crt", key: "/etc/binder/relay/ca.key" },
    never,
  );
  t.equal(new TextDecoder().decode(pair.key), "-----BEGIN PRIVATE KEY-----\nSECRET\n");
  t.same(
    made.runs.map(([program, command]) => [program, command]),
    [
      ["openssl", "req"],
      ["openssl", "ca"],
    ],
  );
  t.notMatch(made.runs.flat().join(" "), /SECRET|BEGIN/);
  t.equal(made.files.size, 0);
});
