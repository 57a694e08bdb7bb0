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
  { name: "the relay's service address", address: SERVICE, at: "relay", byLan: true },
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

let scene: Promise<Scene> | undefined;

/** One household for all tests of this file, made by the first. */
async function theScene(): Promise<Scene> {
  scene ??= setUp();
  return await scene;
}

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
async function tryAll(at: Scene, { address, port = LISTENER, byLan }: Forbidden): Promise<readonly string[]> {
  const lan = at.house.node("lan1");
  const tries: Record<string, Promise<boolean>> = {
    "PROXY v1": byHeader(at, headerV1(address, port)).then(({ end }) => end === "answered"),
    "PROXY v2": byHeader(at, headerV2(address, port)).then(({ end }) => end === "answered"),
  };
  if (byLan) {
    tries["TCP of the LAN"] = knock(lan, "tcp", address, port).then(({ end }) => end === "answered");
    if (port === LISTENER) {
      tries["UDP of the LAN"] = knock(lan, "udp", address, port, { limit: 1 }).then(({ end }) => end === "answered");
      tries["ICMP of the LAN"] = lan.run("ping", ["-n", "-c", "1", "-W", "1", address]).then(({ status }) => status === 0);
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

test("a household and a hand-made header reach the Internet", { timeout: 90_000 }, async (t) => {
  const at = await theScene();
  const { house, ears } = at;
  t.equal((await byHeader(at, headerV1(SERVER, LISTENER))).said, "hello", "by PROXY v1");
  t.equal((await byHeader(at, headerV2(SERVER, LISTENER))).said, "hello", "by PROXY v2");
  t.equal((await knock(house.node("lan1"), "tcp", SERVER, LISTENER)).said, "hello", "by TCP");
  t.equal((await knock(house.node("lan1"), "udp", SERVER, LISTENER)).said, "hello", "by UDP");
  t.equal((await house.node("lan1").run("ping", ["-n", "-c", "1", "-W", "2", SERVER])).status, 0, "by ICMP");
  t.same([...ears.server.heard].sort(), [...Array<string>(3).fill(`tcp ${SERVER}`), `udp ${SERVER}`]);
});

for (const what of forbidden) {
  test(`no home reaches ${what.name}`, { timeout: 60_000 }, async (t) => {
    const at = await theScene();
    await betweenKnocks(t, at, what, async () => {
      t.same(await tryAll(at, what), [], "nobody got through");
    });
  });
}
