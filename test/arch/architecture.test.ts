import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { test } from "../harness/index.ts";
import { type ImportGraph, LAYERS, violations } from "./layers.ts";

// esbuild drops imports that are only of types, and files that main.ts does not reach, so the sources are read too.

interface Metafile {
  readonly inputs: Readonly<Record<string, { readonly imports: readonly { readonly path: string; readonly external?: boolean }[] }>>;
}

const isSource = (path: string): boolean => path.startsWith("src/");

/** What is in the main bundle; the build put host/node.ts in the place of #host. */
function bundled(): ImportGraph {
  const { inputs } = JSON.parse(readFileSync("build/binder.meta.json", "utf8")) as Metafile;
  const graph = new Map<string, string[]>();
  for (const [path, { imports }] of Object.entries(inputs)) {
    if (!isSource(path)) continue;
    const targets = imports.map(({ path: to, external }) => {
      if (external === true) return to;
      if (to === "src/host/node.ts" && path === "src/main.ts") return "#host";
      return isSource(to) ? to.slice("src/".length) : (/node_modules\/(@[^/]+\/[^/]+|[^/]+)/.exec(to)?.[1] ?? to);
    });
    graph.set(path.slice("src/".length), targets);
  }
  return graph;
}

function sources(): ImportGraph {
  const files = readdirSync("src", { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
  const graph = new Map<string, string[]>();
  for (const file of files) {
    const { importedFiles } = ts.preProcessFile(readFileSync(join("src", file), "utf8"));
    graph.set(
      file,
      importedFiles.map(({ fileName }) => (fileName.startsWith(".") ? join(file, "..", fileName) : fileName)),
    );
  }
  return graph;
}

test("the bundle keeps the layers", (t) => {
  const graph = bundled();
  t.ok(graph.has("main.ts") && graph.has("host/node.ts"), `${graph.size} files`);
  t.same(violations(graph), []);
});

test("the sources keep the layers, imports of types included", (t) => {
  const graph = sources();
  t.ok(graph.size >= bundled().size, `${graph.size} files`);
  t.ok(graph.get("main.ts")?.includes("#host"));
  t.same(violations(graph), []);
});

test("folders of src are all in a layer", (t) => {
  const known = LAYERS.flat();
  const folders = readdirSync("src", { withFileTypes: true }).filter((entry) => entry.isDirectory());
  t.same(
    folders.map(({ name }) => name).filter((name) => !known.includes(name)),
    [],
  );
});

const GOOD: readonly (readonly [string, readonly string[]])[] = [
  ["main.ts", ["#host", "cli/run.ts"]],
  ["cli/run.ts", ["mri", "home/states.ts", "relay/book.ts"]],
  ["home/states.ts", ["kernel/diff.ts", "home/types.ts"]],
  ["home/types.ts", []],
  ["relay/book.ts", ["plan/numbers.ts"]],
  ["kernel/diff.ts", ["plan/numbers.ts", "host/types.ts"]],
  ["plan/numbers.ts", []],
  ["host/types.ts", []],
  ["host/node.ts", ["node:fs", "host/types.ts"]],
];

test("the checker accepts a good graph", (t) => t.same(violations(new Map(GOOD)), []));

const BAD: readonly (readonly [string, string, string, RegExp])[] = [
  ["an upward import", "kernel/diff.ts", "home/types.ts", /kernel\/diff\.ts imports home\/types\.ts: upwards/],
  ["a role importing a role", "home/states.ts", "relay/book.ts", /a role imports another/],
  ["a role importing a command", "relay/book.ts", "cli/run.ts", /upwards/],
  ["the system outside host/", "plan/numbers.ts", "node:fs", /plan\/numbers\.ts imports node:fs/],
  ["a package outside host/", "cli/run.ts", "yaml", /imports yaml/],
  ["an engine", "cli/run.ts", "host/node.ts", /only types\.ts is for others/],
  ["the alias outside main", "home/states.ts", "#host", /main\.ts alone/],
  ["a circle of files", "home/types.ts", "home/states.ts", /files in a circle: home\/states\.ts > home\/types\.ts > home\/states\.ts/],
  ["a circle of folders", "plan/numbers.ts", "kernel/state.ts", /folders in a circle: kernel > plan > kernel/],
  ["host/ importing what is above it", "host/types.ts", "plan/numbers.ts", /host\/ stands alone/],
  ["a folder without a layer", "tools/x.ts", "plan/numbers.ts", /tools\/x\.ts: its folder is in no layer/],
];

for (const [name, from, to, wanted] of BAD) {
  test(`the checker finds ${name}`, (t) => {
    const graph = new Map(GOOD);
    graph.set(from, [...(graph.get(from) ?? []), to]);
    t.match(violations(graph).join("\n"), wanted);
  });
}
