/**
 * Bundles a program.
 *
 *     node scripts/build.mjs                          src/main.ts for Node, into build/binder
 *     node scripts/build.mjs quickjs                  the same for QuickJS, as an archive, build/qjs/binder.modules
 *     node scripts/build.mjs router                   src/main-router.ts for QuickJS, as small as can be, into build/qjs/router.modules
 *     node scripts/build.mjs quickjs ENTRY.ts OUT.js  another program for QuickJS, as one module
 *
 * An archive has the modules that a program is split into, the first of which begins it; the host reads the others as they are imported
 * (native/source-embedded.c): a line with name and size in bytes, the text, and a NUL for each.
 */
import { chmodSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { build } from "esbuild";
import { bundleOptions, root } from "./bundle.mjs";

/** Bytes that a router has for the modules of the daemon, which stay in its memory. */
const DAEMON_LIMIT = 200_000;
const DAEMON = "src/cli/run.ts";

/** Whole at every moment: tests build programs of their own while others run what is built. */
function replace(path, content, mode = 0o644) {
  mkdirSync(dirname(path), { recursive: true });
  const fresh = `${path}.${String(process.pid)}`;
  writeFileSync(fresh, content);
  chmodSync(fresh, mode);
  renameSync(fresh, path);
}

/** Into one file. A Binder that runs from it keeps the old one. */
async function single(engine, entry, out) {
  const { outputFiles, metafile } = await build({
    ...bundleOptions(engine),
    // CommonJS: a file without an extension is that everywhere, wherever it is copied to.
    ...(engine === "node" ? { format: "cjs", banner: { js: "#!/usr/bin/env node" } } : {}),
    entryPoints: [entry],
    outfile: out,
    write: false,
  });
  // The project's package.json says "module", which would hold for build/binder too.
  if (engine === "node") replace(join(root, "build/package.json"), '{ "type": "commonjs" }\n');
  replace(`${out}.meta.json`, JSON.stringify(metafile));
  replace(out, outputFiles[0].contents, 0o755);
}

/** Into an archive. */
async function archive(entry, out, options) {
  const { outputFiles, metafile } = await build({
    ...bundleOptions("quickjs"),
    ...options,
    entryPoints: [entry],
    outdir: `${out}.d`,
    splitting: true,
    write: false,
  });
  const main = `${basename(entry, ".ts")}.js`;
  const modules = outputFiles.map(({ path, contents }) => ({ name: relative(`${out}.d`, path), contents }));
  modules.sort((a, b) => Number(b.name === main) - Number(a.name === main) || (a.name < b.name ? -1 : 1));
  const parts = modules.flatMap(({ name, contents }) => [Buffer.from(`${name} ${contents.length}\n`), contents, Buffer.from([0])]);
  replace(`${out}.meta.json`, JSON.stringify(metafile));
  replace(out, Buffer.concat(parts));
  return { total: modules.reduce((sum, { contents }) => sum + contents.length, 0), daemon: sizeOf(metafile.outputs, entry) };
}

/** Bytes of all modules that the daemon needs. */
function sizeOf(outputs, entry) {
  const needed = new Set();
  const need = (path) => {
    if (needed.has(path) || outputs[path] === undefined) return;
    needed.add(path);
    for (const { path: next, kind } of outputs[path].imports) if (kind === "import-statement") need(next);
  };
  for (const [path, { entryPoint }] of Object.entries(outputs)) if (entryPoint === entry || entryPoint === DAEMON) need(path);
  return [...needed].reduce((sum, path) => sum + outputs[path].bytes, 0);
}

const [kind = "node", entry, out] = process.argv.slice(2);
if (entry !== undefined && out !== undefined) {
  await single(kind, entry, resolve(root, out));
} else if (kind === "node") {
  await single("node", "src/main.ts", join(root, "build/binder"));
} else if (kind === "quickjs") {
  await archive("src/main.ts", join(root, "build/qjs/binder.modules"), {});
} else if (kind === "router") {
  const { total, daemon } = await archive("src/main-router.ts", join(root, "build/qjs/router.modules"), { minify: true });
  console.log(`build/qjs/router.modules: ${total} bytes, of which the daemon loads ${daemon}`);
  if (daemon > DAEMON_LIMIT) throw new Error(`the daemon's modules must not be larger than ${DAEMON_LIMIT} bytes`);
} else {
  throw new Error(`there is no kind of bundle "${kind}"`);
}
