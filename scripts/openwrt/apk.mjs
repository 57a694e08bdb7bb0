/** Packages for apk 3 (OpenWrt 25.12), made by apk-tools as OpenWrt's include/package-pack.mk has them made. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { entriesOf } from "./describe.mjs";

/** apk-tools 3 on this machine (or the one that APK names): only that can write the format. Undefined where there is none. */
export function findApk() {
  const program = process.env.APK ?? "apk";
  try {
    const text = execFileSync(program, ["--version"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    return /^apk-tools 3\./.test(text) ? program : undefined;
  } catch {
    return undefined;
  }
}

const withoutFirst = (text) => text.replace(/^#!.*\n/, "");

/** apk runs a script of its own kind for each occasion; PKG_UPGRADE says which it is, as opkg does. */
function scriptsOf({ name, scripts }) {
  const head = (action) => `[ -s "\${IPKG_INSTROOT}/lib/functions.sh" ] || exit 0
. "\${IPKG_INSTROOT}/lib/functions.sh"
export root="\${IPKG_INSTROOT}"
export pkgname="${name}"
${action}
`;
  const install = `[ "\${IPKG_NO_SCRIPT}" = "1" ] && exit 0\n${head("add_group_and_user\ndefault_postinst")}${withoutFirst(scripts.postinst ?? "")}`;
  return {
    "post-install": `#!/bin/sh\n${install}`,
    "post-upgrade": `#!/bin/sh\nexport PKG_UPGRADE=1\n${install}`,
    "pre-deinstall": `#!/bin/sh\n${head("default_prerm")}${withoutFirst(scripts.prerm ?? "")}`,
    ...(scripts.postrm === undefined ? {} : { "post-deinstall": scripts.postrm }),
  };
}

/** Lists that OpenWrt's own scripts read: of all files, and of those that are a person's to change, with the hashes they come with. */
function addLists({ name, conffiles }, root) {
  const folder = join(root, "lib/apk/packages");
  const files = entriesOf(root).filter(({ content }) => content !== undefined);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.list`), files.map(({ path }) => `${path.slice(1)}\n`).join(""));
  if (conffiles.length === 0) return;
  const hashed = files.filter(({ path }) => conffiles.includes(path.slice(1)));
  const sums = hashed.map(({ path, content }) => `${path.slice(1)} ${createHash("sha256").update(content).digest("hex")}\n`);
  writeFileSync(join(folder, `${name}.conffiles`), conffiles.map((file) => `${file}\n`).join(""));
  writeFileSync(join(folder, `${name}.conffiles_static`), sums.join(""));
}

/** The bytes of the package, and the name of its file; owners are those of root's, so root has to run it. `work` is a folder of its own. */
export function apk(program, pack, architecture, time, work) {
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  const root = join(work, "root");
  cpSync(pack.root, root, { recursive: true });
  addLists(pack, root);
  for (const path of readdirSync(root, { recursive: true })) utimesSync(join(root, path), time, time);
  const scripts = Object.entries(scriptsOf(pack)).flatMap(([kind, text]) => {
    const path = join(work, kind);
    writeFileSync(path, text, { mode: 0o755 });
    return ["--script", `${kind}:${path}`];
  });
  const info = {
    name: pack.name,
    version: pack.version,
    description: pack.description.replace(/\s+/g, " "),
    arch: architecture === "all" ? "noarch" : architecture,
    license: pack.license,
    origin: "binder",
    depends: pack.depends.join(" "),
  };
  const fields = Object.entries(info).flatMap(([key, value]) => ["--info", `${key}:${value}`]);
  const output = join(work, "package.apk");
  execFileSync(program, ["mkpkg", ...fields, ...scripts, "--files", root, "--output", output], {
    env: { ...process.env, SOURCE_DATE_EPOCH: String(time) },
    stdio: ["ignore", "ignore", "inherit"],
  });
  return { file: `${pack.name}-${pack.version}.apk`, bytes: readFileSync(output) };
}
