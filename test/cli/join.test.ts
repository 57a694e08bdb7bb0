import { encodeInvite } from "../../src/invite/codec.ts";
import type { Invite } from "../../src/invite/types.ts";
import { sample } from "../invite/sample.ts";
import { test } from "../harness/index.ts";
import { fingerprint, listing, type Machine, machines } from "./machine.ts";

const CONFIG = `# What Anna set up, with her comments.
config binder 'main'
\toption enabled '1'   # for now

config lan 'lan'
\toption device 'br-lan'

config gateway "school"
\toption device mesh0
\toption via 10.1.0.1
`;

const invite: Invite = { ...sample, relay: "school_relay" };
const line = encodeInvite(invite);

/** What nobody may find anywhere but in the two files that are for it. */
const secret = invite.key.split("\n")[1] ?? "";

async function expectKeys(home: Machine, wanted: Invite): Promise<boolean> {
  const files = { "ca.crt": wanted.authority, "home.crt": wanted.certificate, "home.key": wanted.key, "tls-crypt-v2.key": wanted.tlsCrypt };
  const found = await Promise.all(Object.keys(files).map(async (name) => await home.node.read(`/etc/binder/${wanted.relay}/${name}`)));
  return (
    found.join() === Object.values(files).join() &&
    (await home.node.read(`/etc/binder/${wanted.relay}/invite`)) === `${encodeInvite(wanted)}\n`
  );
}

test("an invite becomes keys and a section, and joining twice changes nothing", async (t) => {
  const [home] = await machines(t, "home");
  await home.node.write("/etc/config/binder", CONFIG);
  const joined = await home.binder(["join", "-"], line);
  t.equal(joined.status, 0, joined.stderr);
  t.match(joined.stdout, /^This home has joined relay school_relay \(45\.0\.0\.1, 45\.0\.0\.2\) as home anna-maria, number 2\.\n/);
  t.match(joined.stdout, /Next: .* binder check, then binder run/);
  t.notMatch(joined.stdout + joined.stderr, secret);
  t.same(await listing(home, "/etc/binder"), [
    "755 root root /etc/binder",
    "700 root root /etc/binder/school_relay",
    "600 root root /etc/binder/school_relay/ca.crt",
    "600 root root /etc/binder/school_relay/home.crt",
    "600 root root /etc/binder/school_relay/home.key",
    "600 root root /etc/binder/school_relay/invite",
    "600 root root /etc/binder/school_relay/tls-crypt-v2.key",
  ]);
  t.ok(await expectKeys(home, invite));
  const section = "\nconfig relay 'school_relay'\n\tlist address '45.0.0.1'\n\tlist address '45.0.0.2'\n\toption port '21300'\n";
  t.equal(await home.node.read("/etc/config/binder"), `${CONFIG}${section}`);
  t.equal((await home.binder(["check"])).status, 0, "the result passes binder check");

  const before = await fingerprint(home, "/etc/binder", "/etc/config");
  const again = await home.binder(["join"], `  ${line.slice(0, 700)}\r\n  ${line.slice(700)}\n`);
  t.equal(again.status, 0);
  t.match(again.stdout, /has joined .* already: nothing changed/);
  t.equal(await fingerprint(home, "/etc/binder", "/etc/config"), before);

  await home.node.must("rm", ["/etc/binder/school_relay/home.key"]);
  await home.node.must("chmod", ["644", "/etc/binder/school_relay/invite"]);
  t.match((await home.binder(["join"], line)).stdout, /^This home has joined relay school_relay \(.*\n/, "what went missing comes back");
  t.ok(await expectKeys(home, invite));
  t.match((await listing(home, "/etc/binder/school_relay")).join("\n"), /600 root root .*\/invite/);
});

test("a new invite of the same relay replaces the old one, and only that", async (t) => {
  const [home] = await machines(t, "home");
  await home.must(["join"], line);
  t.match(
    await home.node.read("/etc/config/binder"),
    /^config binder 'main'\n\toption enabled '1'\n\nconfig relay 'school_relay'\n/,
    "a home without a file gets one",
  );
  const edited = `${await home.node.read("/etc/config/binder")}\toption priority '2'\n\nconfig lan 'lan'\n\toption device 'br0' # mine\n`;
  await home.node.write("/etc/config/binder", edited, 0o600);
  const moved: Invite = { ...invite, addresses: ["45.0.7.7"], port: 4000, key: sample.key.replace(/A/, "A"), number: 9 };
  t.equal((await home.binder(["join"], encodeInvite(moved))).status, 0);
  t.ok(await expectKeys(home, moved));
  t.equal(
    await home.node.read("/etc/config/binder"),
    edited.replace(
      "\tlist address '45.0.0.1'\n\tlist address '45.0.0.2'\n\toption port '21300'",
      "\tlist address '45.0.7.7'\n\toption port '4000'",
    ),
  );
  t.match(await listing(home, "/etc/config"), /600 root root \/etc\/config\/binder$/m);
});

test("another relay with the same name does not replace the first by chance", async (t) => {
  const [home, relay] = await machines(t, "home", "relay");
  await home.must(["join"], line);
  const before = await fingerprint(home, "/etc/binder", "/etc/config");
  const stranger = encodeInvite({ ...invite, authority: sample.certificate, addresses: ["45.9.9.9"] });
  const refused = await home.binder(["join"], stranger);
  t.equal(refused.status, 1);
  t.match(refused.stderr, /joined another relay with the name school_relay \(45\.0\.0\.1, 45\.0\.0\.2\); .* join with --replace/);
  t.equal(await fingerprint(home, "/etc/binder", "/etc/config"), before);
  await home.must(["join", "--replace"], stranger);
  t.match(await home.node.read("/etc/config/binder"), /list address '45\.9\.9\.9'/);

  await relay.must(["relay", "init", "--address", "45.0.0.1", "--name", "relay"]);
  const own = await fingerprint(relay, "/etc/binder");
  const itself = await relay.binder(["join"], encodeInvite({ ...invite, relay: "relay" }));
  t.equal(itself.status, 1);
  t.match(itself.stderr, /\/etc\/binder\/relay has this machine's own relay in it/);
  t.equal(await fingerprint(relay, "/etc/binder"), own);
});

test("a prefix that overlaps a route of the home's is refused by name", async (t) => {
  const [home] = await machines(t, "home");
  await home.node.ip([
    "link add name mesh0 type veth peer name mesh1",
    "link set dev mesh1 up",
    "link set dev mesh0 up",
    "address add 10.1.0.2/16 dev mesh0",
    "route add default via 10.1.0.1",
    "route add 128.0.0.0/1 via 10.1.0.1",
    "route add 198.19.64.0/24 via 10.1.0.9",
  ]);
  const refused = await home.binder(["join"], line);
  t.equal(refused.status, 1);
  t.match(refused.stderr, /prefix 198\.19\.0\.0\/16 overlaps a route of this home: 198\.19\.64\.0\/24 via 10\.1\.0\.9 dev mesh0;/);
  t.equal((await home.node.run("test", ["-e", "/etc/binder"])).status, 1, "nothing is written");
  await home.node.ip(["route del 198.19.64.0/24", "route add 198.16.0.0/12 via 10.1.0.9"]);
  t.match((await home.binder(["join"], line)).stderr, /a route of this home: 198\.16\.0\.0\/12 via/, "a larger one too");
  await home.node.ip(["route del 198.16.0.0/12", "route add 198.19.0.1 via 10.1.0.9 proto 213"]);
  t.equal((await home.binder(["join"], line)).status, 0, "default routes, their halves, and Binder's own are no overlap");
});

test("an invite as an argument is refused with the reason", async (t) => {
  const [home] = await machines(t, "home");
  const shown = await home.binder(["join", line]);
  t.equal(shown.status, 2);
  t.match(shown.stderr, /not given as an argument: it holds a private key, and would stay in the shell's history/);
  t.notMatch(shown.stderr, line.slice(40, 80));
  t.equal((await home.node.run("test", ["-e", "/etc/binder"])).status, 1);
});

test("bad input has its exit status and its sentence, and changes nothing", async (t) => {
  const [home] = await machines(t, "home");
  await home.node.write("/etc/config/binder", CONFIG);
  const before = await fingerprint(home, "/etc/config");
  await home.node.write("/tmp/notes", "buy bread\n");
  await home.node.write("/tmp/large", "x".repeat(70_000));
  for (const [args, input, status, sentence] of [
    [[], "", 1, /there is no invite: paste the line/],
    [[], line.slice(0, -30), 1, /the invite is cut short: copy the whole line/],
    [[], "x".repeat(70_000), 1, /far too long for an invite/],
    [["/tmp/notes"], "", 1, /an invite begins with binder:\/\/v1\//],
    [["/tmp/large"], "", 1, /far too long for an invite/],
    [["/tmp/none"], "", 1, /there is no file \/tmp\/none/],
    [["/tmp"], "", 1, /\/tmp is a folder, not an invite/],
    [["a", "b"], "", 2, /"b" is one argument too many/],
    [["--force"], line, 2, /there is no option --force/],
  ] as const) {
    const refused = await home.binder(["join", ...args], input);
    t.equal(refused.status, status, args.join(" "));
    t.match(refused.stderr, sentence);
    t.equal(refused.stdout, "");
  }
  t.equal(await fingerprint(home, "/etc/config"), before);
  t.equal((await home.node.run("test", ["-e", "/etc/binder"])).status, 1);

  await home.node.write("/etc/config/binder", `${CONFIG}config lan 'open\n`);
  const broken = await home.binder(["join"], line);
  t.equal(broken.status, 3);
  t.match(broken.stderr, /\/etc\/config\/binder, line 11: .*; mend it first/);
  await home.node.write("/etc/config/binder", CONFIG.replace('"school"', '"school_relay"'));
  const taken = await home.binder(["join"], line);
  t.equal(taken.status, 3);
  t.match(taken.stderr, /line 8: a gateway has the name school_relay already/);
  t.equal((await home.node.run("test", ["-e", "/etc/binder"])).status, 1);
  t.match((await home.binder(["join", "--help"])).stdout, /^usage: binder join \[--replace\] \[FILE\]/);
});

test("an invite is read from a file, by a relative path too", async (t) => {
  const [home] = await machines(t, "home");
  await home.node.write("/root/invite", `${line}\n`);
  t.equal((await home.node.run(home.program, ["join", "invite"], { directory: "/root" })).status, 0);
  t.match(await home.must(["join", "/root/invite"]), /nothing changed/);
});
