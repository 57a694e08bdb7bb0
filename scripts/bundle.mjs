/** What every bundle shares: the engine's alias, the version, and the settings of esbuild. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));

function commit() {
  try {
    const git = (...args) => execFileSync("git", ["-C", root, ...args], { stdio: ["ignore", "pipe", "ignore"], encoding: "utf8" }).trim();
    // A copy of the tree inside another repository must not carry that one's commit.
    if (git("rev-parse", "--show-prefix") !== "") return undefined;
    return git("rev-parse", "--short=10", "HEAD");
  } catch {
    return undefined;
  }
}

/** The package's version, and the commit where there is one: `0.1.0 (1a2b3c4d5e)`. */
export function versionText() {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const id = commit();
  return id === undefined ? version : `${version} (${id})`;
}

/** @param {"node" | "quickjs"} engine */
export function bundleOptions(engine) {
  return {
    absWorkingDir: root,
    bundle: true,
    alias: { "#host": join(root, `src/host/${engine}.ts`) },
    define: { BINDER_VERSION: JSON.stringify(versionText()) },
    logLevel: "warning",
    // Names that a module does not have, or that are written to: mistakes, even where the bundle would run.
    logOverride: { "import-is-undefined": "error", "assign-to-constant": "error" },
    metafile: true,
    ...(engine === "node"
      ? { platform: "node", target: "node20" }
      : { platform: "neutral", mainFields: ["module", "main"], target: "es2022", external: ["binder:native"], format: "esm" }),
  };
}
