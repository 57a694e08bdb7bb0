/** What Binder has in the firewall's configuration, and in dnsmasq's. */
import { type Test, test } from "../harness/index.ts";
import { exportUci, parseUci, textToBytes } from "../../src/uci-parser/index.ts";
import { MARK_MASK, markOf } from "../../src/plan/marks.ts";
import { PORT_CAPTURE } from "../../src/plan/numbers.ts";
import { projectRoot } from "../testbed/index.ts";
import { binderConfig, DHCP, FIREWALL, NETWORK, ROUTER } from "./configuration.ts";
import { Router } from "./router.ts";
import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";

const SCRIPT = "/usr/libexec/binder-firewall";
const NAMES = "/usr/libexec/binder-names";

async function router(t: Test, files: Readonly<Record<string, string>>): Promise<Router> {
  const made = await Router.boot(t, files);
  cpSync(join(projectRoot, "files/usr"), made.path("/usr"), { recursive: true });
  return made;
}

const shown = (text: string): string => exportUci(parseUci(textToBytes(text)), "firewall");
const ZONE = `
config zone 'binder'
	option name 'binder'
	list device 'binder-+'
	option input 'REJECT'
	option output 'ACCEPT'
	option forward 'REJECT'
`;
const forwarding = (section: string, src: string): string => `
config forwarding '${section}'
	option src '${src}'
	option dest 'binder'
`;

test("the zone of the lanes, and forwardings from the LANs' zones, by network and by device", async (t) => {
  const made = await router(t, { ...ROUTER, binder: binderConfig(["network 'lan'", "device 'br-guest'"]) });
  t.same(await made.run(`${SCRIPT} apply`), { status: 0, stdout: "", stderr: "" });
  const wanted = `${FIREWALL}${ZONE}${forwarding("binder_lan", "lan")}${forwarding("binder_guest_2", "guest-2")}`;
  t.equal(shown(made.read("/etc/config/firewall")), shown(wanted));
  t.same(made.news().calls, ["firewall reload"]);
  const written = made.read("/etc/config/firewall");
  await made.run(`${SCRIPT} apply`);
  t.equal(made.read("/etc/config/firewall"), written);
  t.same(made.news().calls, [], "nothing to do");

  await t.test("a LAN that is no more captured loses its own", async (t) => {
    made.write("/etc/config/binder", binderConfig(["device 'br-guest'"]));
    await made.run(`${SCRIPT} apply`);
    t.equal(shown(made.read("/etc/config/firewall")), shown(`${FIREWALL}${ZONE}${forwarding("binder_guest_2", "guest-2")}`));
    t.same(made.news().calls, ["firewall reload"]);
  });

  await t.test("what a person changed in the zone stays", async (t) => {
    made.write("/etc/config/firewall", made.read("/etc/config/firewall").replace("option input 'REJECT'", "option input 'ACCEPT'"));
    const changed = made.read("/etc/config/firewall");
    await made.run(`${SCRIPT} apply`);
    t.equal(made.read("/etc/config/firewall"), changed);
  });

  await t.test("all of it goes, and nothing else", async (t) => {
    made.write("/etc/config/firewall", wanted);
    made.news();
    await made.run(`${SCRIPT} remove`);
    t.equal(shown(made.read("/etc/config/firewall")), shown(FIREWALL));
    t.same(made.news().calls, ["firewall reload"]);
    await made.run(`${SCRIPT} remove`);
    t.same(made.news().calls, []);
  });
});

test("a zone may name devices itself, and a bridge may be made in the old way", async (t) => {
  const zone = "\nconfig zone\n\toption name 'attic'\n\tlist device 'eth7'\n\nconfig zone\n\toption name 'barn'\n\toption network 'barn'\n";
  const network = `${NETWORK}\nconfig interface 'barn'\n\toption type 'bridge'\n\toption ifname 'eth8'\n`;
  const files = { firewall: `${FIREWALL}${zone}`, network, binder: binderConfig(["device 'eth7'", "device 'br-barn'"]) };
  const made = await router(t, files);
  await made.run(`${SCRIPT} apply`);
  const wanted = `${files.firewall}${ZONE}${forwarding("binder_attic", "attic")}${forwarding("binder_barn", "barn")}`;
  t.equal(shown(made.read("/etc/config/firewall")), shown(wanted));
});

test("a router without a firewall, or without dnsmasq, is left alone", async (t) => {
  const made = await router(t, { network: NETWORK, binder: binderConfig(["network 'lan'"]) });
  for (const line of [`${SCRIPT} apply`, `${SCRIPT} remove`, `${NAMES} apply`, `${NAMES} remove`]) {
    t.same(await made.run(line), { status: 0, stdout: "", stderr: "" }, line);
  }
  t.same(made.news().calls, []);
});

test("names are asked of Binder's resolvers where it captures anything, by every dnsmasq", async (t) => {
  const made = await router(t, { dhcp: DHCP, binder: binderConfig([]) });
  await made.run(`${NAMES} apply`);
  t.same(made.news().calls, [], "no LAN: all stays as it is");

  made.write("/etc/config/binder", binderConfig(["network 'lan'"]));
  t.equal((await made.run(`${NAMES} apply`)).status, 0);
  const [unnamed] = parseUci(textToBytes(DHCP)).sections;
  const places = [`/tmp/dnsmasq.${unnamed?.name ?? ""}.d/binder.conf`, "/tmp/guests.d/binder.conf"];
  for (const place of places) t.match(made.read(place), /^no-resolv\nservers-file=\/var\/run\/dnsmasq\/binder\.servers\n$/m, place);
  t.equal(made.read("/var/run/dnsmasq/binder.servers"), "", "there before dnsmasq reads it");
  t.same(made.news().calls, ["dnsmasq restart"]);

  made.write("/var/run/dnsmasq/binder.servers", "server=198.19.0.1\n");
  await made.run(`${NAMES} apply`);
  t.equal(made.read("/var/run/dnsmasq/binder.servers"), "server=198.19.0.1\n");
  t.same(made.news().calls, []);

  await made.run(`${NAMES} remove`);
  for (const place of [...places, "/var/run/dnsmasq/binder.servers"]) t.notOk(made.has(place), place);
  t.same(made.news().calls, ["dnsmasq restart"]);
  t.equal(made.read("/etc/config/dhcp"), DHCP);
});

test("a dnsmasq that is switched off is not started", async (t) => {
  const made = await router(t, { dhcp: DHCP, binder: binderConfig(["network 'lan'"]) });
  made.disabled.add("dnsmasq");
  await made.run(`${NAMES} apply`);
  t.notOk(made.has("/tmp/guests.d/binder.conf"));
  t.same(made.news().calls, []);
});

test("the rule for the proxy's port names what Binder marks and redirects", (t) => {
  const rule = readFileSync(join(projectRoot, "files/usr/share/nftables.d/chain-pre/input/20-binder.nft"), "utf8");
  const hexadecimal = (mark: number): string => `0x${mark.toString(16).padStart(8, "0")}`;
  const mark = `ct mark and ${hexadecimal(MARK_MASK)} == ${hexadecimal(markOf({ kind: "proxy" }))}`;
  t.match(rule, `tcp dport ${String(PORT_CAPTURE)} ct status dnat ${mark} accept`);
});
