/**
 * A feed for OpenWrt's SDK or buildroot: the packages of openwrt/ with all that their Makefiles take.
 *
 *     node scripts/openwrt/feed.mjs [FOLDER]      build/feed by default
 */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { root } from "../bundle.mjs";

/** What of files/ is LuCI's. */
export const LUCI = ["www", "usr/share/luci", "usr/share/rpcd"];

const copy = (from, to) => cpSync(join(root, from), to, { recursive: true });

/** Lays the packages' folders into `feed`, without what is compiled. */
export function layFeed(feed) {
  rmSync(feed, { recursive: true, force: true });
  for (const name of readdirSync(join(root, "openwrt"))) {
    mkdirSync(join(feed, name), { recursive: true });
    copy(join("openwrt", name), join(feed, name));
  }
  copy("files", join(feed, "binder/files"));
  for (const part of LUCI) {
    if (existsSync(join(root, "files", part))) copy(join("files", part), join(feed, "luci-app-binder/files", part));
  }
}

if (process.argv[1] === import.meta.filename) {
  const feed = resolve(process.argv[2] ?? join(root, "build/feed"));
  layFeed(feed);
  copy("native", join(feed, "binder/native"));
  execFileSync(process.execPath, [join(root, "scripts/build.mjs"), "router"], { stdio: "inherit" });
  copy("build/qjs/router.modules", join(feed, "binder/router.modules"));
  console.log(`${feed}: add "src-link binder ${feed}" to the SDK's feeds.conf`);
}
