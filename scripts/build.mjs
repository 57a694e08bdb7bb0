/**
 * Bundles a program.
 *
 *     node scripts/build.mjs                          src/main.ts for Node, into build/binder
 *     node scripts/build.mjs quickjs                  the same for QuickJS's qjs, into build/qjs/binder.js
 *     node scripts/build.mjs quickjs ENTRY.ts OUT.js  another program
 */
import { chmodSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { build } from "esbuild";
import { bundleOptions, root } from "./bundle.mjs";

const [engine = "node", entry = "src/main.ts", output = engine === "node" ? "build/binder" : "build/qjs/binder.js"] = process.argv.slice(2);
if (engine !== "node" && engine !== "quickjs") throw new Error(`there is no engine "${engine}"`);
const out = resolve(root, output);
mkdirSync(dirname(out), { recursive: true });

/** Whole at every moment: tests build programs of their own while others run what is built. */
function replace(path, text) {
  const fresh = `${path}.${String(process.pid)}`;
  writeFileSync(fresh, text);
  renameSync(fresh, path);
}

const result = await build({
  ...bundleOptions(engine),
  // CommonJS: a file without an extension is that everywhere, wherever it is copied to.
  ...(engine === "node" ? { format: "cjs", banner: { js: "#!/usr/bin/env node" } } : {}),
  entryPoints: [entry],
  outfile: `${out}.new`,
});
// The project's package.json says "module", which would hold for build/binder too.
if (engine === "node") replace(join(root, "build/package.json"), '{ "type": "commonjs" }\n');
replace(`${out}.meta.json`, JSON.stringify(result.metafile));
chmodSync(`${out}.new`, 0o755);
// A Binder that runs from this file keeps the old one.
renameSync(`${out}.new`, out);
