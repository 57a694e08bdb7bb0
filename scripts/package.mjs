/**
 * OpenWrt's packages, from the executables that "make dist" has built: build/packages/FORMAT/ARCHITECTURE/.
 *
 *     node scripts/package.mjs ipk|apk
 *     node scripts/package.mjs ipk|apk --executable FILE --architecture NAME [--out FOLDER]      only this one
 *
 * What is in them is said by openwrt/NAME/Makefile alone. SOURCE_DATE_EPOCH (seconds) is the time of all files, by default the last
 * commit's; the same sources make the same bytes.
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { root } from "./bundle.mjs";
import { apk, findApk } from "./openwrt/apk.mjs";
import { ARCHITECTURES } from "./openwrt/architectures.mjs";
import { describe } from "./openwrt/describe.mjs";
import { LUCI, layFeed } from "./openwrt/feed.mjs";
import { ipk } from "./openwrt/ipk.mjs";

const options = { executable: { type: "string" }, architecture: { type: "string" }, out: { type: "string" } };
const { values, positionals } = parseArgs({ options, allowPositionals: true });
const [format] = positionals;
if (positionals.length !== 1 || (format !== "ipk" && format !== "apk")) throw new Error("say ipk or apk");
if ((values.executable === undefined) !== (values.architecture === undefined))
  throw new Error("--executable and --architecture go together");
const out = resolve(values.out ?? join(root, "build/packages", format));
// Several may run at a time.
const work = join(out, `.work.${String(process.pid)}`);

function time() {
  if (process.env.SOURCE_DATE_EPOCH !== undefined) return Number(process.env.SOURCE_DATE_EPOCH);
  try {
    return Number(
      execFileSync("git", ["-C", root, "log", "-1", "--format=%ct"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }),
    );
  } catch {
    return 0;
  }
}

/** What to pack: executables and the architectures that they are for. */
const wanted =
  values.executable === undefined
    ? Object.entries(ARCHITECTURES).map(([name, architectures]) => ({
        executable: join(root, "build/dist", name, "binder"),
        architectures,
      }))
    : [{ executable: resolve(values.executable), architectures: [values.architecture] }];

const notRun = [];
let written = 0;

function write(architecture, { file, bytes }) {
  const folder = values.executable === undefined ? join(out, architecture) : out;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, file), bytes);
  written += 1;
  console.log(`${join(folder, file)}: ${String(bytes.length)} bytes`);
}

const program = format === "apk" ? findApk() : undefined;
const pack = (description, architecture) =>
  format === "ipk" ? ipk(description, architecture, time()) : apk(program, description, architecture, time(), join(work, "apk"));

function packAll() {
  if (format === "apk" && program === undefined) {
    notRun.push("apk: there are no apk-tools 3 here (APK=FILE names them)");
    return;
  }
  const feed = join(work, "feed");
  layFeed(feed);
  // Where its Makefile has the compiler put it.
  const built = join(work, "build/quickjs-2025.04.26/out");
  mkdirSync(built, { recursive: true });
  for (const { executable, architectures } of wanted) {
    if (!existsSync(executable)) {
      notRun.push(`${architectures.join(", ")}: there is no ${executable} ("make dist" builds it)`);
      continue;
    }
    copyFileSync(executable, join(built, "binder"));
    const description = describe(feed, "binder", join(work, "binder"), join(work, "build"));
    for (const architecture of architectures) write(architecture, pack(description, architecture));
  }
  if (values.executable !== undefined) return;
  const pages = readdirSync(join(root, "files"), { recursive: true }).filter((path) => LUCI.some((part) => path.startsWith(`${part}/`)));
  if (pages.length === 0) notRun.push("luci-app-binder: files/ has no pages for LuCI yet");
  else write("all", pack(describe(feed, "luci-app-binder", join(work, "luci"), join(work, "build")), "all"));
}

try {
  packAll();
} finally {
  rmSync(work, { recursive: true, force: true });
}
for (const reason of notRun) console.log(`not run: ${reason}`);
console.log(`${String(written)} packages, ${String(notRun.length)} not run`);
process.exitCode = written === 0 && format === "ipk" ? 1 : 0;
