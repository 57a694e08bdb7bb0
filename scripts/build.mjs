/**
 * Bundles a program.
 *
 *     node scripts/build.mjs                          src/main.ts for Node, into build/binder
 *     node scripts/build.mjs quickjs                  the same for QuickJS, into build/qjs/binder.js
 *     node scripts/build.mjs quickjs ENTRY.ts OUT.js  another program
 *     node scripts/build.mjs router                   src/main-router.ts for QuickJS, as small as can be, into build/qjs/router.js
 */
import { chmodSync, mkdirSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { build } from "esbuild";
import { bundleOptions, root } from "./bundle.mjs";

const KINDS = {
  node: { engine: "node", program: "src/main.ts", file: "build/binder" },
  quickjs: { engine: "quickjs", program: "src/main.ts", file: "build/qjs/binder.js" },
  router: { engine: "quickjs", program: "src/main-router.ts", file: "build/qjs/router.js" },
};
/** Bytes that a router's flash has for the bundle. */
const ROUTER_LIMIT = 200_000;

const [name = "node", ...asked] = process.argv.slice(2);
if (!Object.hasOwn(KINDS, name)) throw new Error(`there is no kind of bundle "${name}"`);
const { engine, program, file } = KINDS[name];
const [entry = program, output = file] = asked;
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
  ...(name === "router" ? { minify: true } : {}),
  entryPoints: [entry],
  outfile: `${out}.new`,
});
// The project's package.json says "module", which would hold for build/binder too.
if (engine === "node") replace(join(root, "build/package.json"), '{ "type": "commonjs" }\n');
replace(`${out}.meta.json`, JSON.stringify(result.metafile));
chmodSync(`${out}.new`, 0o755);
// A Binder that runs from this file keeps the old one.
renameSync(`${out}.new`, out);

if (name === "router") {
  const { size } = statSync(out);
  console.log(`${relative(root, out)}: ${size} bytes`);
  if (size > ROUTER_LIMIT) throw new Error(`the bundle for routers must not be larger than ${ROUTER_LIMIT} bytes`);
}
