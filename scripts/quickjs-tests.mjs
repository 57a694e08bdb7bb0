/**
 * Test files for QuickJS. Those that need Node, themselves or by what they import, do not run there; they say so by importing it
 * (`import process from "node:process"`, too, where another file would take the global one).
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { build } from "esbuild";
import { bundleOptions, root } from "./bundle.mjs";

const OUT = "build/test-quickjs";
/** Plain ECMAScript. */
const PACKAGES = /^(fast-check|pure-rand|mri)(\/|$)/;

const plain = {
  name: "plain",
  setup({ onResolve }) {
    onResolve({ filter: /\/index\.ts$/ }, ({ path, resolveDir }) =>
      relative(root, join(resolveDir, path)) === "test/harness/index.ts" ? { path: join(root, "test/harness/quickjs.ts") } : undefined,
    );
    onResolve({ filter: /^[^./#]/ }, ({ path, kind }) =>
      kind === "entry-point" || PACKAGES.test(path) ? undefined : { path, external: true },
    );
  },
};

/** Bundles the files that can run on QuickJS: each with its bundle, and the others. */
export async function bundleForQuickjs(files) {
  const { outputFiles, metafile } = await build({
    ...bundleOptions("quickjs"),
    entryPoints: files,
    outdir: OUT,
    outbase: "test",
    plugins: [plain],
    // Before all else: modules may use what the host installs as soon as they are loaded.
    inject: ["./src/host/quickjs.ts"],
    write: false,
  });
  // What is injected counts as an external import of each file, by its path.
  const isForeign = ({ path, external }) => external && !path.startsWith("/") && path !== "binder:native";
  const needsNode = (inputs) => Object.keys(inputs).some((input) => metafile.inputs[input].imports.some(isForeign));
  const bundles = new Map();
  const others = [];
  for (const { path, contents } of outputFiles) {
    const { entryPoint, inputs } = metafile.outputs[relative(root, path)];
    if (needsNode(inputs)) {
      others.push(entryPoint);
      continue;
    }
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, contents);
    bundles.set(entryPoint, path);
  }
  return { bundles, others };
}
