/** What a package's Makefile says, read by make itself, with scripts/openwrt/sdk in the place of OpenWrt's SDK. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { root } from "../bundle.mjs";

/**
 * @typedef {object} Description
 * @property {string} name
 * @property {string} version         `0.1.0-r1`
 * @property {string} title
 * @property {string} section
 * @property {string} license
 * @property {string} architecture    `all`, or empty: that of the executable
 * @property {string} description
 * @property {readonly string[]} depends
 * @property {readonly string[]} conffiles
 * @property {Readonly<Record<string, string>>} scripts   preinst, postinst, prerm, postrm, as far as there are
 * @property {string} root            the folder where all that it installs lies
 */

/**
 * Reads FEED/NAME/Makefile and installs into `out`.
 *
 * @param {string} feed see layFeed @param {string} name @param {string} out @param {string} builds where the SDK would have compiled
 * @returns {Description}
 */
export function describe(feed, name, out, builds) {
  rmSync(join(out, name), { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const before = process.umask(0o022);
  try {
    const variables = { TOPDIR: join(root, "scripts/openwrt/sdk"), OUT: out, BUILD_DIR: builds };
    const assignments = Object.entries(variables).map(([key, value]) => `${key}=${value}`);
    execFileSync("make", ["--silent", "--no-builtin-rules", "-C", join(feed, name), ...assignments, "all"], {
      // Of a make that runs this.
      env: { ...process.env, MAKEFLAGS: "", MFLAGS: "", MAKELEVEL: "" },
      stdio: ["ignore", "ignore", "inherit"],
    });
  } finally {
    process.umask(before);
  }
  const text = (file) => (existsSync(join(out, name, file)) ? readFileSync(join(out, name, file), "utf8") : "");
  const field = (file) => text(file).trim();
  const words = (file) => field(file).split(/\s+/).filter(Boolean);
  const scripts = ["preinst", "postinst", "prerm", "postrm"]
    .map((script) => [script, text(script)])
    .filter(([, content]) => content !== "");
  return {
    name,
    version: `${field("PKG_VERSION")}-r${field("PKG_RELEASE")}`,
    title: field("TITLE"),
    section: field("SECTION"),
    license: field("PKG_LICENSE"),
    architecture: field("PKGARCH"),
    description: field("description"),
    // `+name` is a dependency that is selected too, `@SYMBOL` one of the configuration.
    depends: words("DEPENDS")
      .filter((word) => !word.startsWith("@"))
      .map((word) => word.replace(/^\+/, "")),
    conffiles: words("conffiles"),
    scripts: Object.fromEntries(scripts),
    root: join(out, name, "root"),
  };
}

/** The entries of a folder for an archive, sorted, `./` first. */
export function entriesOf(folder, prefix = "./") {
  const names = readdirSync(folder).sort();
  const inside = names.flatMap((name) => {
    const path = join(folder, name);
    const { mode } = statSync(path);
    if (statSync(path).isDirectory()) return entriesOf(path, `${prefix}${name}/`);
    return [{ path: `${prefix}${name}`, mode: mode & 0o7777, content: readFileSync(path) }];
  });
  return [{ path: prefix, mode: 0o755 }, ...inside];
}
