/**
 * Bundles src/main.ts.
 *
 *     node scripts/build.mjs            build/binder, for Node
 *     node scripts/build.mjs quickjs    build/qjs/binder.js, for QuickJS's qjs
 */
import { chmodSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { bundleOptions, root } from "./bundle.mjs";

const engine = process.argv[2] ?? "node";
const out = engine === "node" ? join(root, "build/binder") : join(root, "build/qjs/binder.js");
mkdirSync(join(out, ".."), { recursive: true });

const result = await build({
  ...bundleOptions(engine),
  // CommonJS: a file without an extension is that everywhere, wherever it is copied to.
  ...(engine === "node" ? { format: "cjs", banner: { js: "#!/usr/bin/env node" } } : {}),
  entryPoints: ["src/main.ts"],
  outfile: `${out}.new`,
});
// The project's package.json says "module", which would hold for build/binder too.
if (engine === "node") writeFileSync(join(root, "build/package.json"), '{ "type": "commonjs" }\n');
writeFileSync(`${out}.meta.json`, JSON.stringify(result.metafile));
chmodSync(`${out}.new`, 0o755);
// A Binder that runs from this file keeps the old one.
renameSync(`${out}.new`, out);
