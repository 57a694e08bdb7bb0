/**
 * Runs a program written in TypeScript: bundles it into build/run/ and becomes it.
 *
 *     node scripts/run.mjs FILE.ts [ARGUMENT ...]
 */
import { spawn } from "node:child_process";
import { basename, join, relative, resolve } from "node:path";
import { build } from "esbuild";
import { bundleOptions, root } from "./bundle.mjs";

const [file, ...args] = process.argv.slice(2);
if (file === undefined) {
  console.error("usage: node scripts/run.mjs FILE.ts [ARGUMENT ...]");
  process.exit(2);
}
const outfile = join(root, "build/run", basename(file).replace(/\.ts$/, ".mjs"));
const { metafile: _, ...options } = bundleOptions("node");
await build({
  ...options,
  entryPoints: [relative(root, resolve(root, file))],
  outfile,
  format: "esm",
  packages: "external",
  sourcemap: "inline",
  sourcesContent: false,
});
const child = spawn(process.execPath, ["--enable-source-maps", outfile, ...args], {
  stdio: "inherit",
});
// The terminal sends these to both; the program decides when to end.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => signal !== "SIGINT" && child.kill(signal));
child.on("exit", (code, signal) => {
  process.exitCode = signal === null ? (code ?? 1) : 1;
});
