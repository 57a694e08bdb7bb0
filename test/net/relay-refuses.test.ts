/**
 * A relay connects to what a home names, so a home may name anything: what the relay must never reach is tried here one by one, by a
 * device on a LAN and by a home that writes its own PROXY headers, with a listener at the destination that must hear nothing.
 */
import { type Test, test } from "../harness/index.ts";
import type { TestNode } from "../testbed/index.ts";
import { BINDER, Household, RELAY, SERVER, until } from "./household.ts";
import { Ear, flood, headerV1, headerV2, type Knock, knock, rawV2 } from "./knock.ts";

const SERVICE = "198.19.0.1";
const PROXY_PORT = 2130;
const LANE_ADDRESS = "198.19.16.2";
const LISTENER = 7777;
const CONNECTIONS = 40;

/** Where the listener is: a machine on the Internet that has all these addresses, the relay itself, or the other home. */
type Place = "server" | "relay" | "home2";

interface Forbidden {
  readonly name: string;
  readonly address: string;
  readonly at: Place;
  readonly port?: number;
  /** A device on the LAN can name it in plain packets; it cannot name its own loopback. */
  readonly byLan: boolean;
  /** The relay answers pings there. */
  readonly pings?: boolean;
}

const beyond = (name: string, address: string): Forbidden => ({ name, address, at: "server", byLan: true });

const forbidden: readonly Forbidden[] = [
  beyond("the private network 10.0.0.0/8", "10.1.2.3"),
  beyond("the shared space 100.64.0.0/10", "100.64.1.1"),
  beyond("the private network 172.16.0.0/12", "172.16.5.5"),
  beyond("the private network 192.168.0.0/16", "192.168.77.7"),
  beyond("the special addresses 192.0.0.0/24", "192.0.0.8"),
  beyond("the benchmark network 198.18.0.0/15", "198.18.5.5"),
  beyond("the metadata of clouds at 169.254.169.254", "169.254.169.254"),
  beyond("the metadata of Azure at 168.63.129.16", "168.63.129.16"),
  beyond("the network 0.0.0.0/8", "0.1.2.3"),
  beyond("the reserved space 240.0.0.0/4", "240.1.2.3"),
  { name: "mail, port 25", address: SERVER, at: "server", port: 25, byLan: true },
  { name: "the relay's loopback 127.0.0.1", address: "127.0.0.1", at: "relay", byLan: false },
  { name: "the rest of 127.0.0.0/8", address: "127.5.5.5", at: "relay", byLan: false },
  { name: "the relay itself as 0.0.0.0", address: "0.0.0.0", at: "relay", byLan: false },
  { name: "the relay's public address", address: RELAY, at: "relay", byLan: true },
  { name: "the relay's service address", address: SERVICE, at: "relay", byLan: true, pings: true },
  { name: "an address of the relay that its configuration doesn't know", address: "45.0.100.77", at: "relay", byLan: true },
  { name: "another home's stable address", address: "198.19.0.3", at: "home2", byLan: true },
  { name: "another home's lane address", address: "198.19.16.3", at: "home2", byLan: true },
  { name: "the relay's loopback ::1", address: "::1", at: "relay", byLan: false },
  { name: "the relay's loopback written ::ffff:127.0.0.1", address: "::ffff:127.0.0.1", at: "relay", byLan: false },
  { name: "a machine of the Internet by IPv6", address: "2001:db8:200::2", at: "server", byLan: false },
];

interface Scene {
  readonly house: Household;
  readonly ears: Readonly<Record<Place, Ear>>;
  readonly mail: Ear;
}

/** An nft table that counts the packets that match before anybody else sees them. */
const witness = (match: string): string =>
  `table inet witness { chain see { type filter hook prerouting priority raw - 50; ${match} counter; }; }`;

async function witnessed(node: TestNode): Promise<number> {
  const [, packets = ""] = /packets (\d+)/.exec(await node.must("nft", ["list", "table", "inet", "witness"])) ?? [];
  return Number(packets);
}

/** One household for all of this file. */
async function setUp(): Promise<Scene> {
  const house = await Household.create(
    { gateways: [{ delay: 2 }, { delay: 5 }], homes: 2, ipv6: true },
    { relayOptions: [`option connections '${String(CONNECTIONS)}'`] },
  );
  await house.settle("home2");
  const [server, relay, inet] = ["server", "relay", "inet"].map((name) => house.node(name)) as [TestNode, TestNode, TestNode];
  const far = forbidden.filter(({ at, port, address }) => at === "server" && port === undefined && !address.includes(":"));
  await server.ip([...far.map(({ address }) => `address add ${address}/32 dev lo`), "address add 2001:db8:200::2/64 dev eth0 nodad"]);
  await inet.ip([
    ...far.map(({ address }) => `route add ${address}/32 via ${SERVER}`),
    "address add 2001:db8:200::1/64 dev server nodad",
    "address add 2001:db8:100::1/64 dev relay nodad",
  ]);
  await relay.ip([
    "address add 45.0.100.77/32 dev eth0",
    "address add 2001:db8:100::2/64 dev eth0 nodad",
    "route add 2001:db8:200::/64 via 2001:db8:100::1",
  ]);
  await server.ip(["route add 2001:db8:100::/64 via 2001:db8:200::1"]);
  const ears = {
    server: await Ear.on(server, LISTENER),
    relay: await Ear.on(relay, LISTENER),
    home2: await Ear.on(house.node("home2"), LISTENER),
  };
  const mail = await Ear.on(server, 25);
  await house.lanesUp(2);
  await house.lanesUp(2, 30_000, "home2");
  return { house, ears, mail };
}

/** A home that writes its own header, from its lane address straight to the relay's proxy. */
async function byHeader({ house }: Scene, header: Uint8Array, limit = 2): Promise<Knock> {
  return await knock(house.node("home"), "tcp", SERVICE, PROXY_PORT, { from: LANE_ADDRESS, send: header, limit });
}

/** The header in both versions, and plain traffic of a LAN device where it can name the destination. Answers who got through. */
async function tryAll(at: Scene, { address, port = LISTENER, byLan, pings = false }: Forbidden): Promise<readonly string[]> {
  const lan = at.house.node("lan1");
  const tries: Record<string, Promise<boolean>> = {
    "PROXY v1": byHeader(at, headerV1(address, port)).then(({ end }) => end === "answered"),
    "PROXY v2": byHeader(at, headerV2(address, port)).then(({ end }) => end === "answered"),
  };
  if (byLan) {
    tries["TCP of the LAN"] = knock(lan, "tcp", address, port).then(({ end }) => end === "answered");
    if (port === LISTENER) {
      tries["UDP of the LAN"] = knock(lan, "udp", address, port, { limit: 1 }).then(({ end }) => end === "answered");
      if (!pings) tries["ICMP of the LAN"] = lan.run("ping", ["-n", "-c", "1", "-W", "1", address]).then(({ status }) => status === 0);
    }
  }
  const through = await Promise.all(Object.entries(tries).map(async ([name, done]) => ((await done) ? [name] : [])));
  return through.flat();
}

/**
 * The relay's root reaches the listener, then the home tries, then root again: between its two knocks the listener heard nothing.
 * The first of them also shows that the listener is there to be heard.
 */
async function betweenKnocks(t: Test, at: Scene, what: Forbidden, tries: () => Promise<void>): Promise<void> {
  const { address, port = LISTENER } = what;
  const ear = port === 25 ? at.mail : at.ears[what.at];
  const relay = at.house.node("relay");
  const before = ear.heard.length;
  const control = async (): Promise<void> => {
    const count = ear.heard.length;
    t.equal((await knock(relay, "tcp", address, port)).end, "answered", `${address}: the relay's root reaches the listener`);
    await until(`${address} is heard`, 2_000, async () => await Promise.resolve(ear.heard.length > count ? true : undefined));
  };
  await control();
  await tries();
  await control();
  t.equal(ear.heard.length - before, 2, `${address}: the listener heard root's two knocks alone`);
}

test("a relay is no open proxy", { timeout: 240_000 }, async (t) => {
  const at = await setUp();
  t.teardown(async () => {
    await at.house.close();
  });

  await t.test("a household and a hand-made header reach the Internet", async (t) => {
    const { house, ears } = at;
    t.equal((await byHeader(at, headerV1(SERVER, LISTENER))).said, "hello", "by PROXY v1");
    t.equal((await byHeader(at, headerV2(SERVER, LISTENER))).said, "hello", "by PROXY v2");
    t.equal((await knock(house.node("lan1"), "tcp", SERVER, LISTENER)).said, "hello", "by TCP");
    t.equal((await knock(house.node("lan1"), "udp", SERVER, LISTENER)).said, "hello", "by UDP");
    t.equal((await house.node("lan1").run("ping", ["-n", "-c", "1", "-W", "2", SERVER])).status, 0, "by ICMP");
    t.same([...ears.server.heard].sort(), [...Array<string>(3).fill(`tcp ${SERVER}`), `udp ${SERVER}`]);
  });

  for (const what of forbidden) {
    await t.test(`no home reaches ${what.name}`, async (t) => {
      await betweenKnocks(t, at, what, async () => {
        t.same(await tryAll(at, what), [], "nobody got through");
      });
    });
  }

  await t.test("a header that is none, or that sends the relay to itself, leads nowhere", async (t) => {
    // What follows the header would be the next header, if the relay's proxy could be made to connect to itself.
    const further = headerV2(SERVER, LISTENER);
    const headers: Record<string, Uint8Array> = {
      "v2, its proxy's own port": headerV2(SERVICE, PROXY_PORT),
      "v1, its proxy's own port": headerV1(SERVICE, PROXY_PORT),
      "v2, its probes' port": headerV2(SERVICE, 2131),
      "v2, its resolver": headerV2(SERVICE, 53),
      "v2, command LOCAL": rawV2(0x20, 0x00, []),
      "v2, LOCAL with an address": rawV2(0x20, 0x11, [192, 168, 1, 10, 10, 1, 2, 3, 3, 232, 30, 97]),
      "v2, an unknown command": rawV2(0x2f, 0x11, [192, 168, 1, 10, 45, 0, 200, 2, 3, 232, 30, 97]),
      "v2, version 3": rawV2(0x31, 0x11, [192, 168, 1, 10, 45, 0, 200, 2, 3, 232, 30, 97]),
      "v2, family UNIX": rawV2(0x21, 0x31, Array<number>(216).fill(47)),
      "v2, UDP by IPv4": rawV2(0x21, 0x12, [192, 168, 1, 10, 45, 0, 200, 2, 3, 232, 30, 97]),
      "v2, cut short": rawV2(0x21, 0x11, [192, 168, 1, 10]),
      "v2, no family": rawV2(0x21, 0x00, []),
      "v1, UNKNOWN": new TextEncoder().encode("PROXY UNKNOWN\r\n"),
      "v1, a name": new TextEncoder().encode(`PROXY TCP4 192.168.1.10 localhost 1000 ${String(LISTENER)}\r\n`),
      "v1, without an end": new TextEncoder().encode(`PROXY TCP4 192.168.1.10 ${"9".repeat(200)}`),
      "no header": new TextEncoder().encode("GET / HTTP/1.0\r\n\r\n"),
      zeros: new Uint8Array(64),
    };
    const before = at.ears.server.heard.length + at.ears.relay.heard.length;
    await Promise.all(
      Object.entries(headers).map(async ([name, header]) => {
        const { end } = await byHeader(at, Uint8Array.from([...header, ...further]));
        t.match(end, /^(closed|reset)$/, `${name}: the relay ends it`);
      }),
    );
    t.equal((await byHeader(at, further)).end, "answered", "the proxy is well");
    t.equal(at.ears.server.heard.length + at.ears.relay.heard.length - before, 1, "nobody heard of any but the last");
  });

  await t.test("a lane reaches proxy, probes and names of the relay, and no other home", async (t) => {
    const { house, ears } = at;
    const home = house.node("home");
    const before = [ears.relay.heard.length, ears.home2.heard.length];
    const targets = [SERVICE, "198.19.16.1", RELAY, "45.0.100.77", "198.19.0.3", "198.19.16.3", "198.19.32.3"];
    await Promise.all(
      targets.flatMap((address) =>
        (["tcp", "udp"] as const).map(async (protocol) => {
          const { end } = await knock(home, protocol, address, LISTENER, { from: LANE_ADDRESS, limit: 1 });
          t.not(end, "answered", `${protocol} ${address}`);
        }),
      ),
    );
    t.same([ears.relay.heard.length, ears.home2.heard.length], before, "the listeners heard nothing");
    t.equal((await knock(home, "tcp", SERVICE, 53, { from: LANE_ADDRESS, limit: 1 })).end, "silent", "names are there by TCP");
  });

  await t.test("a home can't send from another home's address", async (t) => {
    const { house } = at;
    const [home, home2, relay] = [house.node("home"), house.node("home2"), house.node("relay")];
    await relay.must("nft", ["-f", "-"], { input: witness('iifname "binder-l*" ip saddr { 198.19.0.3, 198.19.16.3 } udp dport 7778') });
    const seen = async (): Promise<number> => await witnessed(relay);
    await home.ip([
      "address add 198.19.0.3/32 dev mesh0",
      "address add 198.19.16.3/32 dev mesh0",
      "rule add pref 99 from 198.19.0.3 lookup 21331",
      "rule add pref 99 from 198.19.16.3 lookup 21331",
    ]);
    const packets = (await home.counters("binder-1")).txPackets;
    for (const from of ["198.19.0.3", "198.19.16.3"]) await knock(home, "udp", SERVICE, 7778, { from, limit: 0.2 });
    t.ok((await home.counters("binder-1")).txPackets >= packets + 2, "the home sent them into its lane");
    t.equal(await seen(), 0, "the relay's kernel never saw them");
    await knock(home2, "udp", SERVICE, 7778, { from: "198.19.16.3", limit: 0.2 });
    t.equal(await seen(), 1, "those of the home whose address it is come through");
    await home.ip(["address del 198.19.0.3/32 dev mesh0", "address del 198.19.16.3/32 dev mesh0", "rule del pref 99", "rule del pref 99"]);
    await relay.must("nft", ["delete", "table", "inet", "witness"]);
  });

  await t.test("the Internet reaches neither homes nor the proxy through the relay", async (t) => {
    const { house, ears } = at;
    const [server, home2] = [house.node("server"), house.node("home2")];
    await server.ip(["route add 198.19.0.0/16 via 45.0.200.1"]);
    await house.node("inet").ip(["route add 198.19.0.0/16 via 45.0.100.2"]);
    await home2.must("nft", ["-f", "-"], { input: witness(`ip saddr ${SERVER} ip daddr 198.19.0.3`) });
    const before = [ears.relay.heard.length, ears.home2.heard.length];
    for (const address of [SERVICE, "198.19.16.1"]) {
      t.not((await knock(server, "tcp", address, LISTENER, { limit: 0.5 })).end, "answered", `tcp ${address}`);
      t.not(
        (await knock(server, "tcp", address, PROXY_PORT, { send: headerV2(SERVER, LISTENER), limit: 0.5 })).end,
        "answered",
        "its proxy",
      );
    }
    for (const flags of ["syn", "rst", "fin", "ack | rst", "syn | fin"]) {
      // A packet that belongs to no connection and begins none is what connection tracking calls invalid.
      await server.must("nft", ["-f", "-"], {
        input: `table inet odd { chain out { type filter hook output priority mangle; ip daddr 198.19.0.3 tcp flags syn tcp flags set ${flags}; }; }`,
      });
      await knock(server, "tcp", "198.19.0.3", LISTENER, { limit: 0.2 });
      await server.must("nft", ["delete", "table", "inet", "odd"]);
    }
    await knock(server, "udp", "198.19.0.3", LISTENER, { limit: 0.2 });
    await server.run("ping", ["-n", "-c", "1", "-W", "1", "198.19.0.3"]);
    t.equal(await witnessed(home2), 0, "no packet came to the home");
    t.same([ears.relay.heard.length, ears.home2.heard.length], before, "the listeners heard nothing");
    await home2.must("nft", ["delete", "table", "inet", "witness"]);
  });

  await t.test("a home that has all its connections gets no more, and another home notices nothing", async (t) => {
    const { house, ears } = at;
    const [home, relay] = [house.node("home"), house.node("relay")];
    const reached = (): number => ears.server.heard.length;
    const before = reached();
    const held = await flood(home, SERVICE, PROXY_PORT, CONNECTIONS * 2, { from: LANE_ADDRESS, send: headerV2(SERVER, LISTENER) });
    // HAProxy takes them one after another; what the last one became is known when a further one is refused.
    await until("one more is refused", 5_000, async () =>
      (await byHeader(at, headerV2(SERVER, LISTENER), 1)).end === "answered" ? undefined : true,
    );
    t.equal(reached() - before, CONNECTIONS, "so many reached the server");
    t.not((await knock(house.node("lan1"), "tcp", SERVER, LISTENER, { limit: 1 })).end, "answered", "by its LAN neither");
    t.equal((await knock(house.node("home2-lan"), "tcp", SERVER, LISTENER)).end, "answered", "the other home's neighbour is served");
    await held.end();
    await until("the home is served again", 5_000, async () =>
      (await byHeader(at, headerV2(SERVER, LISTENER), 1)).end === "answered" ? true : undefined,
    );
    // Connections that never say where they want to go count as well.
    const silent = await flood(home, SERVICE, PROXY_PORT, CONNECTIONS * 2, { from: LANE_ADDRESS });
    t.not((await byHeader(at, headerV2(SERVER, LISTENER), 1)).end, "answered", "connections without a header count as well");
    t.equal((await knock(house.node("home2-lan"), "tcp", SERVER, LISTENER)).end, "answered", "the other home's neighbour is served");
    await silent.end();

    const flows = await Promise.all(
      Array.from({ length: CONNECTIONS + 20 }, async () => (await knock(house.node("lan1"), "udp", SERVER, LISTENER, { limit: 1 })).end),
    );
    const through = flows.filter((result) => result === "answered").length;
    t.ok(
      through <= CONNECTIONS && through >= CONNECTIONS / 2,
      `${String(through)} of ${String(flows.length)} flows of UDP are let through`,
    );
    t.equal((await knock(house.node("home2-lan"), "udp", SERVER, LISTENER)).end, "answered", "the other home's UDP is carried");
    await relay.run("conntrack", ["-D", "-s", "198.19.0.2"]);
  });

  await t.test("connections that say nothing are ended; a silent one that is carried goes on", async (t) => {
    const mute = knock(at.house.node("home"), "tcp", SERVICE, PROXY_PORT, { from: LANE_ADDRESS, limit: 25 });
    const before = at.ears.server.heard.length;
    const idle = await flood(at.house.node("lan1"), SERVER, LISTENER, 1);
    t.match((await mute).end, /^(closed|reset)$/, "no header within 15 s");
    const relay = at.house.node("relay");
    const carried = await relay.must("ss", ["-Htn", "state", "established", "dport", "=", `:${String(LISTENER)}`]);
    t.match(carried, new RegExp(`${SERVER}:${String(LISTENER)}`), "the one that is carried is still there");
    t.equal(at.ears.server.heard.length, before + 1, "and is the same one");
    await idle.end();
  });

  await t.test("without the kernel's list, the proxy's own refuses", async (t) => {
    const relay = at.house.node("relay");
    await at.house.relayDaemon.end();
    await relay.must("nft", ["delete", "table", "inet", "binder"]);
    t.equal((await byHeader(at, headerV2(SERVER, LISTENER))).end, "answered", "the Internet is reached");
    for (const what of forbidden) {
      // What is the relay's own, and nowhere in its configuration, only the kernel knows.
      if (what.address === "45.0.100.77") continue;
      await betweenKnocks(t, at, what, async () => {
        t.not((await byHeader(at, headerV2(what.address, what.port ?? LISTENER), 1)).end, "answered", `${what.address} is refused`);
      });
    }
  });

  await t.test("without the proxy's list, the kernel's refuses", async (t) => {
    const relay = at.house.node("relay");
    at.house.relayDaemon = relay.start(BINDER, ["relay", "run"]);
    await until("the relay runs", 10_000, async () => ((await relay.run(BINDER, ["status", "--json"])).status === 0 ? true : undefined));
    await until("its table is back", 10_000, async () => {
      const { status } = await relay.run("nft", ["list", "table", "inet", "binder"]);
      return status === 0 ? true : undefined;
    });
    await at.house.relayDaemon.end();
    const text = await relay.read("/run/binder/relay-proxy.cfg");
    const without = text.split("\n").filter((line) => !/tcp-request session reject/.test(line));
    t.ok(without.length <= text.split("\n").length - 12, "its list was there");
    await relay.write("/run/binder/open-proxy.cfg", without.join("\n"));
    const { pid } = JSON.parse(await relay.read("/run/binder/processes/relay-proxy.json")) as { pid: number };
    await relay.must("kill", [String(pid)]);
    const open = relay.start("mptcpize", ["run", "haproxy", "-db", "-f", "/run/binder/open-proxy.cfg"]);
    await until("the other proxy answers", 10_000, async () =>
      (await byHeader(at, headerV2(SERVER, LISTENER), 1)).end === "answered" ? true : undefined,
    );
    for (const what of forbidden) {
      await betweenKnocks(t, at, what, async () => {
        t.not((await byHeader(at, headerV2(what.address, what.port ?? LISTENER), 3)).end, "answered", `${what.address} is refused`);
      });
    }
    await open.end();
  });
});
