import { decodeInvite } from "../../src/invite/codec.ts";
import { printBook } from "../../src/relay/book-text.ts";
import { addHome, emptyBook } from "../../src/relay/homes.ts";
import { test } from "../harness/index.ts";
import { connect, fingerprint, listing, type Machine, machines } from "./machine.ts";

const ALL = ["/etc/binder", "/etc/config", "/etc/passwd", "/etc/group"] as const;

/** Files of a lane's server with a home in them, by lane. */
async function entriesOf(machine: Machine, cn: string): Promise<readonly string[]> {
  const files = await listing(machine, "/etc/binder/relay/ccd");
  return files.filter((line) => line.endsWith(`/${cn}`)).map((line) => line.replace(/^.*ccd\//, ""));
}

interface Listed {
  readonly homes: readonly {
    readonly name: string;
    readonly number: number;
    readonly cn: string;
    readonly address: string;
    readonly added: string;
  }[];
  readonly rested: readonly { readonly number: number; readonly until: string }[];
}

async function list(machine: Machine): Promise<Listed> {
  return JSON.parse(await machine.must(["relay", "list", "--json"])) as Listed;
}

test("a new machine becomes a relay, and a second init changes nothing", async (t) => {
  const [relay] = await machines(t, "vps7");
  await connect(relay, "45.0.0.1/24", "45.0.0.254");
  const first = await relay.binder(["relay", "init"]);
  t.equal(first.status, 0, first.stderr);
  t.match(first.stdout, /homes will reach this relay at 45\.0\.0\.1, the address of wan0/);
  t.equal(first.stderr, "");
  const relayFiles = (await listing(relay, "/etc/binder")).filter((line) => !/\/ccd\/./.test(line));
  t.same(relayFiles, [
    "755 root root /etc/binder",
    "710 root binder-vpn /etc/binder/relay",
    "600 root root /etc/binder/relay/ca.crt",
    "600 root root /etc/binder/relay/ca.key",
    "750 root binder-vpn /etc/binder/relay/ccd",
    "600 root root /etc/binder/relay/server.crt",
    "600 root root /etc/binder/relay/server.key",
    "600 root root /etc/binder/relay/tls-crypt-v2.key",
  ]);
  t.equal((await listing(relay, "/etc/binder/relay/ccd")).filter((line) => /^750 root binder-vpn .*\/ccd\/[1-8]$/.test(line)).length, 8);
  t.match(await relay.node.read("/etc/config/binder-relay"), /option name 'vps7'\n\tlist address '45\.0\.0\.1'\n\toption port '21300'\n/);
  const passwd = await relay.node.read("/etc/passwd");
  for (const user of ["binder-vpn", "binder-proxy"]) t.match(passwd, new RegExp(`^${user}:x:\\d+:\\d+:.*:/usr/sbin/nologin$`, "m"));

  const before = await fingerprint(relay, ...ALL);
  const second = await relay.binder(["relay", "init"]);
  t.equal(second.status, 0, second.stderr);
  t.match(second.stdout, /a relay already: nothing to do/);
  t.equal(await fingerprint(relay, ...ALL), before);
  t.equal((await relay.binder(["relay", "init", "--port", "21300", "--address", "45.0.0.1"])).status, 0, "the same values are no change");

  const other = await relay.binder(["relay", "init", "--address", "45.0.0.9", "--name", "x"]);
  t.equal(other.status, 1);
  t.match(other.stderr, /\/etc\/config\/binder-relay is there already, with name vps7, address 45\.0\.0\.1: change it there/);
  t.equal(await fingerprint(relay, ...ALL), before);
  t.same(await listing(relay, "/run/binder"), ["755 root root /run/binder"], "nothing is left of the making of keys");
});

test("init takes what it is told, and says what it can't take", async (t) => {
  const [relay] = await machines(t, "relay");
  const none = await relay.binder(["relay", "init"]);
  t.equal(none.status, 1);
  t.match(none.stderr, /no default route: give its public address with --address/);
  for (const [args, sentence] of [
    [["--address", "45.0.0"], /--address is a host's IPv4 address/],
    [["--address", "127.0.0.1"], /--address is a host's/],
    [["--address"], /--address needs a value/],
    [["--port", "65521"], /--port is 1 to 65520/],
    [["--port", "080"], /--port is 1 to 65520/],
    [["--name", "a-b"], /a relay's name is 1 to 32 letters, digits or underscores/],
    [["--nmae", "x"], /there is no option --nmae/],
    [["school"], /"school" is one argument too many/],
  ] as const) {
    const refused = await relay.binder(["relay", "init", ...args]);
    t.equal(refused.status, 2, args.join(" "));
    t.match(refused.stderr, sentence);
  }
  t.equal((await relay.node.run("test", ["-e", "/etc/binder"])).status, 1, "a refused init makes nothing");
  await relay.must(["relay", "init", "--address", "45.0.0.1", "--address=45.0.0.2", "--name", "school", "--port", "4000"]);
  const invite = decodeInvite(await relay.must(["relay", "add-home", "anna"]));
  t.match(invite, {
    relay: "school",
    addresses: ["45.0.0.1", "45.0.0.2"],
    port: 4000,
    prefix: "198.19.0.0/16",
    resolver: "198.19.0.1",
    home: "anna",
    number: 2,
  });
});

test("an init that was cut off is finished by the next", async (t) => {
  const [relay] = await machines(t, "relay");
  await relay.must(["relay", "init", "--address", "45.0.0.1"]);
  await relay.node.must("rm", ["/etc/binder/relay/tls-crypt-v2.key", "/etc/binder/relay/server.key"]);
  t.equal((await relay.binder(["relay", "list"])).status, 3);
  t.match((await relay.binder(["relay", "init"])).stdout, /is a relay now/);
  await relay.must(["relay", "add-home", "anna"]);
  await relay.node.must("rm", ["/etc/binder/relay/server.key"]);
  const refused = await relay.binder(["relay", "init"]);
  t.equal(refused.status, 1);
  t.match(refused.stderr, /\/etc\/binder\/relay\/server\.key missing, and homes rely on it: put it back from a copy/);
});

test("a home comes, gets a new key, goes, and its number rests", async (t) => {
  const [relay] = await machines(t, "relay");
  await relay.must(["relay", "init", "--address", "45.0.0.1"]);
  const added = await relay.binder(["relay", "add-home", "anna"]);
  t.equal(added.status, 0, added.stderr);
  t.match(added.stdout, /^binder:\/\/v1\/[A-Za-z0-9_-]+\n$/, "exactly one line");
  t.ok(added.stdout.length < 6000, `${added.stdout.length} characters`);
  t.match(added.stderr, /key of home anna \(number 2\)/);
  const invite = decodeInvite(added.stdout);
  const [secret = ""] = invite.key.split("\n").slice(1);
  t.equal(secret.length, 64);

  const bert = decodeInvite(await relay.must(["relay", "add-home", "bert"]));
  t.equal(bert.number, 3);
  const [anna] = (await list(relay)).homes;
  t.match(anna, {
    name: "anna",
    number: 2,
    address: "198.19.0.2",
    cn: /^home-2-[0-9a-f]{16}$/,
    added: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
  });
  const cn = anna?.cn ?? "";
  t.same(
    await entriesOf(relay, cn),
    [1, 2, 3, 4, 5, 6, 7, 8].map((lane) => `${lane}/${cn}`),
  );
  t.match(
    await relay.node.read(`/etc/binder/relay/ccd/3/${cn}`),
    /^ifconfig-push 198\.19\.48\.2 255\.255\.240\.0\niroute 198\.19\.0\.2\n(iroute \S+\n){14}$/,
  );
  t.match(await relay.must(["relay", "list"]), /^HOME {2}NUMBER {2}ADDRESS .*\nanna {2}2 {7}198\.19\.0\.2 .*\nbert {2}3 /);

  t.equal((await relay.node.run("grep", ["-rl", secret, "/etc", "/run", "/tmp", "/var/log"])).stdout, "", "the relay keeps no home's key");
  const asVpn = (file: string): Promise<{ status: number }> =>
    relay.node.run("setpriv", ["--reuid=binder-vpn", "--regid=binder-vpn", "--clear-groups", "cat", file]);
  t.equal((await asVpn(`/etc/binder/relay/ccd/1/${cn}`)).status, 0, "OpenVPN's user reads the entries");
  for (const key of ["ca.key", "server.key", "tls-crypt-v2.key", "homes"])
    t.not((await asVpn(`/etc/binder/relay/${key}`)).status, 0, `but not ${key}`);
  const nobody = await relay.node.run("setpriv", [
    "--reuid=65534",
    "--regid=65534",
    "--clear-groups",
    "cat",
    `/etc/binder/relay/ccd/1/${cn}`,
  ]);
  t.not(nobody.status, 0, "and nobody else does");

  const renewed = decodeInvite(await relay.must(["relay", "rekey", "anna"]));
  t.match(renewed, { home: "anna", number: 2, authority: invite.authority });
  t.not(renewed.key, invite.key);
  t.not(renewed.tlsCrypt, invite.tlsCrypt);
  const now = (await list(relay)).homes[0]?.cn ?? "";
  t.same(await entriesOf(relay, cn), [], "the old certificate opens no lane");
  t.equal((await entriesOf(relay, now)).length, 8);

  const removed = await relay.binder(["relay", "remove-home", "anna"]);
  t.equal(removed.status, 0, removed.stderr);
  t.equal(removed.stdout, "");
  t.same(await entriesOf(relay, now), []);
  const after = await list(relay);
  t.same(
    after.homes.map(({ name }) => name),
    ["bert"],
  );
  t.match(after.rested, [{ number: 2, until: /Z$/ }]);
  t.equal(decodeInvite(await relay.must(["relay", "add-home", "anna"])).number, 4);
});

test("what can't be done has its exit status and its sentence", async (t) => {
  const [relay] = await machines(t, "relay");
  for (const command of [["add-home", "anna"], ["remove-home", "anna"], ["rekey", "anna"], ["list"]]) {
    const early = await relay.binder(["relay", ...command]);
    t.equal(early.status, 3, command.join(" "));
    t.match(early.stderr, /this machine is no relay yet: run binder relay init/);
  }
  await relay.must(["relay", "init", "--address", "45.0.0.1"]);
  await relay.must(["relay", "add-home", "anna"]);
  for (const [args, status, sentence] of [
    [[], 2, /usage: binder relay COMMAND/],
    [["adopt"], 2, /there is no command "adopt"/],
    [["add-home"], 2, /something is missing/],
    [["add-home", "a", "b"], 2, /"b" is one argument too many/],
    [["add-home", "--force", "a"], 2, /there is no option --force/],
    [["add-home", "anna"], 1, /there is a home anna already/],
    [["add-home", "../x"], 1, /a home's name is 1 to 32/],
    [["remove-home", "bert"], 1, /there is no home "bert"/],
    [["rekey", "bert"], 1, /there is no home "bert"/],
  ] as const) {
    const refused = await relay.binder(["relay", ...args]);
    t.equal(refused.status, status, args.join(" "));
    t.match(refused.stderr, sentence);
    t.equal(refused.stdout, "");
  }
  for (const command of [[], ["init"], ["add-home"], ["remove-home"], ["rekey"], ["list"], ["run"]]) {
    const help = await relay.binder(["relay", ...command, "--help"]);
    t.equal(help.status, 0);
    t.match(help.stdout, new RegExp(`^usage: binder relay ${command[0] ?? "COMMAND"}`));
    t.equal(help.stderr, "");
  }
  await relay.node.write("/etc/config/binder-relay", "config relay 'main'\n\toption port '99999'\n\toption colour 'red'\n");
  const broken = await relay.binder(["relay", "add-home", "bert"]);
  t.equal(broken.status, 3);
  t.match(broken.stderr, /binder-relay:2: .*port '99999'.*\n.*binder-relay:3: .*colour/);
  await relay.node.write("/etc/binder/relay/homes", "config home\n\toption name 'anna\n");
  await relay.node.write("/etc/config/binder-relay", "config relay 'main'\n\tlist address '45.0.0.1'\n");
  const torn = await relay.binder(["relay", "add-home", "bert"]);
  t.equal(torn.status, 1);
  t.match(torn.stderr, /\/etc\/binder\/relay\/homes, line 2: .*; mend the file, or put back a copy of it/);
});

test("a failing openssl leaves no home, no entry and no line behind", async (t) => {
  const [relay] = await machines(t, "relay");
  await relay.must(["relay", "init", "--address", "45.0.0.1"]);
  const before = await fingerprint(relay, "/etc/binder");
  await relay.node.write("/usr/local/sbin/openssl", "#!/bin/sh\necho 'no \x07entropy' >&2\nexit 7\n", 0o755);
  const failed = await relay.binder(["relay", "add-home", "anna"]);
  t.equal(failed.status, 1);
  t.equal(failed.stdout, "");
  t.match(failed.stderr, /^binder relay add-home: openssl req failed with status 7: no {2}entropy\n$/);
  t.equal(await fingerprint(relay, "/etc/binder"), before);
  t.same(await listing(relay, "/run/binder"), ["755 root root /run/binder"]);

  await relay.node.must("rm", ["/usr/local/sbin/openssl"]);
  await relay.node.write("/run/binder/keys-4000000-0a0b/key", "left by one that was killed", 0o600);
  await relay.node.write("/run/binder/keys-1-0a0b/key", "of one that is at work", 0o600);
  await relay.must(["relay", "add-home", "anna"]);
  t.same((await relay.node.must("ls", ["/run/binder"])).trim(), "keys-1-0a0b");
});

test("commands at the same time wait for each other", async (t) => {
  const [relay] = await machines(t, "relay");
  await relay.must(["relay", "init", "--address", "45.0.0.1"]);
  const names = ["a", "b", "c", "d", "e"];
  const invites = await Promise.all(names.map(async (name) => decodeInvite(await relay.must(["relay", "add-home", name]))));
  t.same(invites.map(({ number }) => number).sort(), [2, 3, 4, 5, 6]);
  t.same((await list(relay)).homes.map(({ name }) => name).sort(), names);
  // Whoever holds the lock is waited for, and a holder that is killed holds it no longer.
  const holder = relay.node.start("flock", ["--no-fork", "/etc/binder/relay", "sleep", "1000"]);
  await until(async () => (await relay.node.run("flock", ["--nonblock", "/etc/binder/relay", "true"])).status === 1);
  let done = false;
  const waiting = relay.must(["relay", "add-home", "f"]).then(() => (done = true));
  // A reader needs no lock; by the time it is done the writer would long be.
  for (let i = 0; i < 5; i++) await relay.must(["relay", "list"]);
  t.equal(done, false, "it waits");
  await holder.end();
  await waiting;
  t.equal((await list(relay)).homes.length, 6);
});

async function until(condition: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 10_000;
  while (!(await condition())) if (Date.now() > end) throw new Error("it did not come true within 10 s");
}

test("with 200 homes one more is quick, and only its own files are written", async (t) => {
  const [relay] = await machines(t, "relay");
  await relay.must(["relay", "init", "--address", "45.0.0.1"]);
  let book = emptyBook;
  for (let i = 0; i < 199; i++) book = addHome(book, `home${i}`, i.toString(16), 1_760_000_000, 4094).book;
  await relay.node.write("/etc/binder/relay/homes", printBook(book), 0o600);
  await relay.must(["relay", "init"]);
  const files = await listing(relay, "/etc/binder/relay/ccd");
  t.equal(
    files.filter((line) => /^640 root binder-vpn .*\/[1-8]\/home-\d+-[0-9a-f]+$/.test(line)).length,
    199 * 8,
    "init makes the entries those of the book",
  );
  const before = new Set((await fingerprint(relay, "/etc/binder/relay/ccd")).split("\n"));
  const start = Date.now();
  t.equal(decodeInvite(await relay.must(["relay", "add-home", "one-more"])).number, 201);
  const took = Date.now() - start;
  t.ok(took < 2000, `${took} ms`);
  const changed = (await fingerprint(relay, "/etc/binder/relay/ccd")).split("\n").filter((line) => !before.has(line));
  t.equal(changed.filter((line) => !/home-201-|\/ccd\/\d$/.test(line)).length, 0, "no other home's entry is touched");

  await relay.node.write("/etc/binder/relay/ccd/5/home-9-stray", "ifconfig-push 198.19.80.9 255.255.240.0\n");
  await relay.node.write(
    "/etc/config/binder-relay",
    "config relay 'main'\n\tlist address '45.0.0.1'\n\toption lanes '2'\n\toption prefix '10.96.0.0/16'\n",
  );
  await relay.must(["relay", "init"]);
  t.same((await relay.node.must("ls", ["/etc/binder/relay/ccd"])).trim().split("\n"), ["1", "2"], "as the configuration says");
  t.match(
    await relay.node.read("/etc/binder/relay/ccd/2/home-2-0"),
    /^ifconfig-push 10\.96\.32\.2 255\.255\.240\.0\niroute 10\.96\.0\.2\n(iroute \S+\n){14}$/,
  );
});

test("a running relay is told; one that can't be is told of", async (t) => {
  const [relay] = await machines(t, "relay");
  await relay.must(["relay", "init", "--address", "45.0.0.1"]);
  const served = `
    const answers = [{ status: 0, data: null }, { status: 1, error: "busy" }];
    require("net").createServer((socket) => socket.on("data", (data) => {
      require("fs").appendFileSync("/tmp/heard", data);
      socket.write(JSON.stringify({ id: 1, ...answers.shift() }) + "\\n");
    })).listen("/run/binder/relay.sock");`;
  const server = relay.node.start(process.execPath, ["-e", served]);
  await until(async () => (await relay.node.run("test", ["-S", "/run/binder/relay.sock"])).status === 0);
  await relay.must(["relay", "add-home", "anna"]);
  t.equal(await relay.node.read("/tmp/heard"), '{"id":1,"method":"reload","args":{}}\n');
  const deaf = await relay.binder(["relay", "add-home", "bert"]);
  t.equal(deaf.status, 1);
  t.match(deaf.stdout, /^binder:\/\/v1\//, "the invite is not lost");
  t.match(deaf.stderr, /the running relay did not take it up \(busy\): restart it/);
  await server.end();
});

test("users are made by whatever the system has", async (t) => {
  const [alpine, openwrt] = await machines(t, "alpine", "openwrt");
  const hide = async ({ node }: Machine, ...programs: readonly string[]): Promise<void> => {
    for (const program of programs) await node.must("mount", ["--bind", "/dev/null", program]);
  };
  await hide(alpine, "/usr/sbin/useradd");
  for (const applet of ["adduser", "addgroup"]) {
    const file = applet === "adduser" ? "passwd" : "group";
    const script = `#!/bin/sh\necho "${applet} $*" >>/tmp/ran\nfor name; do :; done\necho "$name:x:300:300::/:/bin/false" >>/etc/${file}\n`;
    await alpine.node.write(`/usr/local/sbin/${applet}`, script, 0o755);
  }
  await alpine.must(["relay", "init", "--address", "45.0.0.1"]);
  t.equal(
    await alpine.node.read("/tmp/ran"),
    ["binder-vpn", "binder-proxy"]
      .map((user) => `addgroup -S ${user}\nadduser -S -D -H -h /nonexistent -s /bin/false -G ${user} ${user}\n`)
      .join(""),
  );

  await hide(openwrt, "/usr/sbin/useradd", "/usr/sbin/adduser");
  const shadowed = await openwrt.node.must("stat", ["-c", "%a %U %G", "/etc/shadow"]);
  await openwrt.must(["relay", "init", "--address", "45.0.0.1"]);
  t.match(
    await openwrt.node.read("/etc/passwd"),
    /\nbinder-vpn:x:\d+:65536:binder-vpn:\/nonexistent:\/bin\/false\nbinder-proxy:x:\d+:\d+:/,
  );
  t.match(await openwrt.node.read("/etc/shadow"), /\nbinder-vpn:\*:0:0:99999:7:::\nbinder-proxy:\*:/);
  t.equal(await openwrt.node.must("stat", ["-c", "%a %U %G", "/etc/shadow"]), shadowed);
  t.match(await openwrt.node.must("id", ["binder-proxy"]), /^uid=\d+\(binder-proxy\) gid=\d+\(binder-proxy\)/);
});
