/** The packages' files, and what happens when they are installed, upgraded and removed. */
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packagesFor } from "../../src/doctor/system.ts";
import { exportUci, parseUci, textToBytes } from "../../src/uci-parser/index.ts";
import { test } from "../harness/index.ts";
import { projectRoot } from "../testbed/index.ts";
import { memberOf, membersOf } from "./archive.ts";
import { binderConfig, DHCP, FIREWALL, ROUTER } from "./configuration.ts";
import { Opkg, unpack } from "./opkg.ts";
import { hasApk, pack, packIpk, TIME } from "./packages.ts";
import { Router, standIn } from "./router.ts";

const source = (path: string): Buffer => readFileSync(join(projectRoot, path));
/** The stand-in of Binder's program; another version of it is as good. */
const program = async (version: number): Promise<Buffer> =>
  Buffer.concat([readFileSync(await standIn()), Buffer.from(`\n${String(version)}`)]);

const FILES: readonly (readonly [path: string, mode: number])[] = [
  ["/etc/config/binder", 0o600],
  ["/etc/init.d/binder", 0o755],
  ["/etc/uci-defaults/90-binder", 0o755],
  ["/lib/upgrade/keep.d/binder", 0o644],
  ["/usr/libexec/binder-firewall", 0o755],
  ["/usr/libexec/binder-names", 0o755],
  ["/usr/sbin/binder", 0o755],
  ["/usr/share/nftables.d/chain-pre/input/20-binder.nft", 0o644],
];

test("the ipk has OpenWrt's format, and every file with its mode and owner", async (t) => {
  const executable = await program(1);
  const { outer, data, control, fields } = unpack(await packIpk(executable));
  t.same(
    outer.map(({ path }) => path),
    ["./debian-binary", "./data.tar.gz", "./control.tar.gz"],
  );
  t.equal(memberOf(outer, "./debian-binary").toString(), "2.0\n");
  t.same(
    data.filter(({ folder }) => !folder).map(({ path, mode }) => [path.slice(1), mode]),
    FILES,
  );
  for (const member of [...outer, ...data, ...control]) {
    t.equal(member.owner, "0:0", member.path);
    t.equal(member.time, TIME, member.path);
    if (member.folder) t.equal(member.mode, 0o755, member.path);
  }
  const folders = data.filter(({ folder }) => folder).map(({ path }) => path);
  for (const [path] of FILES) t.ok(folders.includes(`.${path.slice(0, path.lastIndexOf("/") + 1)}`), `the folder of ${path}`);
  t.ok(memberOf(data, "./usr/sbin/binder").equals(executable));
  for (const [path] of FILES.filter(([path]) => path !== "/usr/sbin/binder")) {
    t.ok(memberOf(data, `.${path}`).equals(source(`files${path}`)), path);
  }
  t.same(
    control.map(({ path, mode }) => [path, mode]),
    [
      ["./", 0o755],
      ["./conffiles", 0o644],
      ["./control", 0o644],
      ["./postinst", 0o755],
      ["./postinst-pkg", 0o755],
      ["./postrm", 0o755],
      ["./prerm", 0o755],
      ["./prerm-pkg", 0o755],
    ],
  );
  t.equal(memberOf(control, "./conffiles").toString(), "/etc/config/binder\n");
  const { version } = JSON.parse(source("package.json").toString()) as { readonly version: string };
  t.equal(fields.get("Version"), `${version}-r1`);
  t.equal(fields.get("Architecture"), "mips_24kc");
  t.equal(fields.get("License"), "GPL-2.0-only");
  t.match(memberOf(data, "./lib/upgrade/keep.d/binder").toString(), /^\/etc\/binder\/$/m, "keys are kept by sysupgrade");
});

test("it depends on what doctor asks for at a home", async (t) => {
  const { fields } = unpack(await packIpk(await program(1)));
  const depends = (fields.get("Depends") ?? "").split(", ");
  const openwrt = { name: "OpenWrt", packages: "opkg" } as const;
  for (const need of ["openvpn", "haproxy", "mptcpize", "nft", "ip", "ss", "conntrack", "tun", "nftNat", "nftFib"] as const) {
    for (const name of packagesFor(openwrt, need)) t.ok(depends.includes(name), name);
  }
});

test("the engine's source is the one that the build takes", (t) => {
  const script = existsSync(join(projectRoot, "scripts/fetch-engine")) ? "scripts/fetch-engine" : "scripts/build-qjs";
  const [, hash = "none"] = /^sha256=([0-9a-f]{64})$/m.exec(source(script).toString()) ?? [];
  const makefile = source("openwrt/binder/Makefile").toString();
  t.match(makefile, `PKG_HASH:=${hash}\n`);
  t.match(makefile, /^PKG_SOURCE:=quickjs_2025\.04\.26\.orig\.tar\.xz$/m);
});

const native = existsSync(join(projectRoot, "native")) ? {} : { skip: "native/ is not in this tree yet" };
test("the feed has all that its Makefiles take", native, (t) => {
  const folder = mkdtempSync(join(tmpdir(), "binder-feed-"));
  t.teardown(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const feed = join(folder, "feed");
  execFileSync(process.execPath, [join(projectRoot, "scripts/openwrt/feed.mjs"), feed], { stdio: "ignore" });
  // As the SDK would have unpacked the engine. What it would do then is printed and not done: that takes a minute.
  const engine = join(folder, "build/quickjs-2025.04.26");
  mkdirSync(engine, { recursive: true });
  for (const file of ["quickjs.c", "libregexp.c", "libunicode.c", "cutils.c", "dtoa.c", "VERSION"]) writeFileSync(join(engine, file), "");
  writeFileSync(join(folder, "driver.mk"), "include Makefile\ncompile:\n\t+$(Build/Compile)\n");
  const sdk = join(projectRoot, "scripts/openwrt/sdk");
  const given = [
    `TOPDIR=${sdk}`,
    `OUT=${join(folder, "out")}`,
    `BUILD_DIR=${join(folder, "build")}`,
    "TARGET_CC=mips-gcc",
    "TARGET_CFLAGS=-Os",
  ];
  const args = ["-n", "-C", join(feed, "binder"), "-f", join(folder, "driver.mk"), ...given, "compile"];
  const plan = execFileSync("make", args, { encoding: "utf8", env: { ...process.env, MAKEFLAGS: "", MAKELEVEL: "" } });
  for (const part of ["quickjs.c", "main.c", "bundle.S"]) t.match(plan, new RegExp(`mips-gcc -Os .*${part}`), part);
  t.match(plan, /BUNDLE=.*feed\/binder\/router\.modules/);
});

test("the same sources make the same bytes", async (t) => {
  const [one, other, later] = [
    await packIpk(await program(1)),
    await packIpk(await program(1)),
    await packIpk(await program(1), { SOURCE_DATE_EPOCH: "1" }),
  ];
  t.ok(one.equals(other));
  t.notOk(one.equals(later), "the time is that of SOURCE_DATE_EPOCH");
});

test("every script is one for BusyBox's shell", async (t) => {
  const { data, control } = unpack(await packIpk(await program(1)));
  const scripts = [...data, ...control].filter(({ content }) => content.subarray(0, 2).toString() === "#!");
  t.equal(scripts.length, 9);
  for (const { path, content } of scripts) {
    t.match(content.toString(), /^#!\/bin\/sh( \/etc\/rc\.common)?\n/, path);
    execFileSync("busybox", ["ash", "-n"], { input: content, stdio: ["pipe", "ignore", "inherit"] });
    // What busybox takes, and POSIX has not (but for `local`, which every shell of a router has).
    t.notMatch(content.toString(), /\[\[|\bfunction \w|&>|<<<|\$'|\blet /, path);
  }
});

test("no script that is installed looks in /run, which OpenWrt has not", async (t) => {
  const { data } = unpack(await packIpk(await program(1)));
  for (const { path, content } of data.filter((member) => !member.folder && member.path !== "./usr/sbin/binder")) {
    t.notMatch(content.toString(), /(^|[^r])\/run\//m, path);
  }
  t.ok(data.length > 0);
});

test("apk's package has the same files, and a script for each occasion", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "binder-apk-"));
  t.teardown(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  // Stands for apk-tools 3, which Debian has not: archives what it is given. Compared with the real one, 3.0.6, by hand.
  const apk = join(folder, "apk");
  writeFileSync(
    apk,
    '#!/bin/sh\n[ "$1" != --version ] || { echo "apk-tools 3.0.0"; exit; }\nfor last; do :; done\ncd "${last%/*}" && tar -czf "$0.tar" --sort=name . && mv "$0.tar" "$last"\n',
  );
  chmodSync(apk, 0o755);
  const bytes = await pack("apk", await program(1), { APK: apk });
  if (bytes === undefined) throw new Error("there is no package");
  const members = membersOf(bytes);
  const installed = members.filter((member) => !member.folder && member.path.startsWith("./root/"));
  const lists = [".conffiles", ".conffiles_static", ".list"].map((kind): readonly [string, number] => [
    `/lib/apk/packages/binder${kind}`,
    0o644,
  ]);
  t.same(new Map(installed.map(({ path, mode }) => [path.slice("./root".length), mode])), new Map([...FILES, ...lists]));
  t.equal(memberOf(members, "./root/lib/apk/packages/binder.list").toString(), FILES.map(([path]) => `${path}\n`).join(""));
  for (const kind of ["post-install", "post-upgrade", "pre-deinstall", "post-deinstall"]) {
    execFileSync("busybox", ["ash", "-n"], { input: memberOf(members, `./${kind}`), stdio: ["pipe", "ignore", "inherit"] });
  }

  await t.test("an upgrade by apk begins the daemon anew if its program differs, and cleans nothing up", async (t) => {
    const router = await Router.boot(t, ROUTER);
    const lay = async (version: number): Promise<void> => {
      for (const { path, mode, content } of installed) {
        const inside = path.slice("./root".length);
        router.write(inside, "");
        writeFileSync(router.path(inside), inside === "/usr/sbin/binder" ? await program(version) : content);
        chmodSync(router.path(inside), mode);
      }
    };
    const run = async (kind: string): Promise<number> => {
      router.write(`/tmp/${kind}`, memberOf(members, `./${kind}`).toString());
      return (await router.run(`sh /tmp/${kind}`)).status;
    };
    await lay(1);
    t.equal(await run("post-install"), 0);
    t.same(router.news().daemon, ["start"]);
    await lay(1);
    t.equal(await run("post-upgrade"), 0);
    t.same(router.news().daemon, [], "the same program");
    await lay(2);
    t.equal(await run("post-upgrade"), 0);
    const { calls, daemon } = router.news();
    t.same(daemon, ["term", "start"]);
    t.notOk(calls.includes("binder cleanup"));
    t.equal(await run("pre-deinstall"), 0);
    t.ok(router.news().calls.includes("binder cleanup"));
    t.notMatch(router.read("/etc/config/firewall"), /'binder(_.*)?'/);
  });
});

const skip = hasApk() ? {} : { skip: "there are no apk-tools 3 here (APK=FILE names them)" };
test("apk-tools 3 make the package", skip, async (t) => {
  const [one, other] = [await pack("apk", await program(1)), await pack("apk", await program(1))];
  if (one === undefined || other === undefined) throw new Error("there is no package");
  t.equal(one.subarray(0, 4).toString(), "ADBd");
  t.ok(one.equals(other));
});

/** Every path of the router's root with its size, but for what is in memory. */
function allFiles(router: Router): readonly string[] {
  const paths = readdirSync(router.root, { recursive: true, encoding: "utf8" }).sort();
  return paths
    .filter((path) => !/^(tmp|var)\b|^standin\.sock$/.test(path))
    .map((path) => `${path} ${String(statSync(router.path(path)).mode)}`);
}

test("installed, upgraded and removed by opkg", async (t) => {
  const router = await Router.boot(t, ROUTER);
  const opkg = new Opkg(router);
  const before = allFiles(router);
  await opkg.install(await packIpk(await program(1)));
  t.same(router.news().daemon, ["start"]);
  t.notOk(router.has("/etc/uci-defaults/90-binder"), "done once");
  t.match(router.read("/etc/config/firewall"), /config zone 'binder'/);
  for (const [path, mode] of FILES.filter(([path]) => !path.startsWith("/etc/uci-defaults"))) {
    t.equal(statSync(router.path(path)).mode & 0o7777, mode, path);
  }
  const mine = binderConfig(["network 'lan'"]);
  router.write("/etc/config/binder", mine);
  router.write("/etc/binder/coop/client.key", "secret\n");
  await router.run("/etc/init.d/binder reload");
  const firewall = router.read("/etc/config/firewall");
  t.match(firewall, /config forwarding 'binder_lan'/);
  router.news();

  await t.test("an upgrade interrupts no flow, and keeps what a person wrote", async (t) => {
    await opkg.install(await packIpk(await program(2)));
    const { calls, daemon } = router.news();
    t.same(daemon, ["term", "start"], "the daemon is begun anew");
    t.notOk(calls.includes("binder cleanup"), "and what it left is not cleaned up");
    t.notOk(
      calls.some((call) => call.startsWith("dnsmasq")),
      "names go on",
    );
    t.equal(router.read("/etc/config/binder"), mine);
    t.ok(router.has("/etc/config/binder-opkg"), "the new one lies beside it");
    t.equal(router.read("/etc/config/firewall"), firewall);
    t.ok(readFileSync(router.path("/usr/sbin/binder")).equals(await program(2)));
    t.equal(router.read("/etc/binder/coop/client.key"), "secret\n");
    rmSync(router.path("/etc/config/binder-opkg"));
  });

  await t.test("a removal leaves nothing but what a person wrote", async (t) => {
    const rule = "/usr/share/nftables.d/chain-pre/input/20-binder.nft";
    let last: boolean | undefined;
    router.onCall = (call) => {
      if (call === "firewall reload") last = router.has(rule);
    };
    await opkg.remove("binder");
    const { calls, daemon } = router.news();
    t.same(daemon, ["term"]);
    t.ok(calls.includes("binder cleanup"));
    t.ok(calls.includes("dnsmasq restart"));
    t.equal(last, false, "the firewall is loaded again without the rule");
    const show = (text: string): string => exportUci(parseUci(textToBytes(text)), "firewall");
    t.equal(show(router.read("/etc/config/firewall")), show(FIREWALL));
    t.equal(router.read("/etc/config/dhcp"), DHCP);
    t.equal(router.read("/etc/config/binder"), mine);
    t.equal(router.read("/etc/binder/coop/client.key"), "secret\n");
    for (const path of ["/etc/config/binder", "/etc/binder"]) rmSync(router.path(path), { recursive: true });
    const left = allFiles(router).filter((path) => !before.includes(path));
    // Folders that opkg itself makes.
    t.same(
      left.filter((path) => !/^usr\/lib(\/opkg(\/info)?)? /.test(path)),
      [],
    );
    t.same(
      before.filter((path) => !allFiles(router).includes(path)),
      [],
    );
  });
});

test("in an image that is built, no script does anything", async (t) => {
  const router = await Router.boot(t, ROUTER);
  const { control } = unpack(await packIpk(await program(1)));
  for (const name of ["postinst-pkg", "prerm-pkg", "postrm"]) {
    router.write(`/tmp/${name}`, memberOf(control, `./${name}`).toString());
    t.equal((await router.run(`sh /tmp/${name}`, { IPKG_INSTROOT: "/elsewhere" })).status, 0, name);
  }
  t.same(router.news(), { calls: [], daemon: [] });
});
