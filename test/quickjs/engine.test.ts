import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Test, test } from "../harness/index.ts";

// The same program on both engines: stdout, stderr and status must be the same, byte for byte.

/** The command that runs any bundle on QuickJS, and the one that is Binder; scripts/test-archs sets those of other architectures. */
const RUN = (process.env["QUICKJS"] ?? "build/qjs/binder-run").split(" ");
const BINDER = (process.env["QUICKJS_BINDER"] ?? "build/qjs/binder").split(" ");
/** A router's has no relay in it. */
const isRouters = BINDER.at(-1)?.startsWith("build/dist/") ?? false;
const LIMIT_MS = 60_000;

interface Ending {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(command: readonly string[], args: readonly string[], input: string): Ending {
  const [program = "", ...options] = command;
  const { status, stdout, stderr, error } = spawnSync(program, [...options, ...args], { input, timeout: LIMIT_MS });
  if (error !== undefined) throw error;
  return { status, stdout: stdout.toString("latin1"), stderr: stderr.toString("latin1") };
}

const onNode = (args: readonly string[], input = ""): Ending => run(["build/binder"], args, input);
const onQuickjs = (args: readonly string[], input = ""): Ending => run(BINDER, args, input);

function temporary(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), "binder-quickjs-"));
  t.teardown(() => rmSync(path, { recursive: true }));
  return path;
}

function build(engine: "node" | "quickjs", entry: string, out: string): void {
  execFileSync(process.execPath, ["scripts/build.mjs", engine, entry, out]);
}

// `make test` does so too; here for whoever runs this file alone.
if (process.env["QUICKJS"] === undefined) execFileSync("scripts/build-native", { stdio: ["ignore", "ignore", "inherit"] });

test("both hosts answer alike", (t) => {
  const directory = temporary(t);
  build("node", "test/quickjs/probe.ts", "build/test/quickjs/probe");
  build("quickjs", "test/quickjs/probe.ts", "build/test/quickjs/probe.js");
  const story = (name: string, command: readonly string[], args: readonly string[]): Ending => {
    const home = join(directory, name, "home");
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, "bytes"), Uint8Array.of(0, 0xff, 0x80, 0x0a), { mode: 0o640 });
    writeFileSync(join(home, "large"), new Uint8Array(1_000_000));
    const ending = run(command, [...args, home, "an argument", "häuser"], "from stdin: ü");
    return { ...ending, stdout: ending.stdout.replaceAll(home, "HOME") };
  };
  const wanted = story("node", ["build/test/quickjs/probe"], []);
  t.equal(wanted.status, 7, wanted.stderr);
  t.match(wanted.stdout, /^read nothing: failed ENOENT$/m);
  t.match(wanted.stdout, /^read: "0,255,128,10"$/m);
  t.same(story("quickjs", RUN, ["build/test/quickjs/probe.js"]), wanted);
});

test("version and usage on QuickJS", (t) => {
  const version = onQuickjs(["version"]);
  t.match(version, { status: 0, stdout: /^binder \d+\.\d+\.\d+/, stderr: "" });
  t.same(version, onNode(["version"]));
  for (const args of [[], ["--help"], ["version", "--help"], ["nonsense"]]) {
    const wanted = onNode(args);
    const here = (output: string): string => (isRouters ? output.replace(/^ {2}relay .*\n/m, "") : output);
    t.same(onQuickjs(args), { ...wanted, stdout: here(wanted.stdout), stderr: here(wanted.stderr) }, args.join(" "));
  }
});

interface Vector {
  readonly name: string;
  readonly input_hex: string;
  readonly rc: number;
}

function vectors(): Vector[] {
  const lines = readFileSync("test/uci-parser/vectors.jsonl", "utf8").trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line) as Vector);
}

test("config and check on QuickJS print what they print on Node, for every recorded UCI text", (t) => {
  const directory = temporary(t);
  const all = vectors();
  t.ok(all.length >= 74, `${all.length} texts`);
  for (const { name, input_hex } of all) {
    mkdirSync(join(directory, name));
    writeFileSync(join(directory, name, "t"), Buffer.from(input_hex, "hex"));
  }
  build("node", "test/quickjs/batch.ts", "build/test/quickjs/batch");
  build("quickjs", "test/quickjs/batch.ts", "build/test/quickjs/batch.js");
  const wanted = run(["build/test/quickjs/batch"], [directory], "");
  const found = run(RUN, ["build/test/quickjs/batch.js", directory], "");
  const lines = wanted.stdout.trimEnd().split("\n");
  t.equal(lines.length, 3 * all.length, wanted.stderr);
  t.same(found.stdout.trimEnd().split("\n"), lines);
  t.same([found.status, found.stderr], [wanted.status, wanted.stderr]);
});

test("the bundle itself, on texts that parse and that do not", (t) => {
  const file = join(temporary(t), "t");
  const [good, bad] = [vectors().filter(({ rc }) => rc === 0), vectors().filter(({ rc }) => rc !== 0)];
  for (const vector of [...good.slice(-3), ...bad.slice(-3)]) {
    writeFileSync(file, Buffer.from(vector.input_hex, "hex"));
    for (const command of ["export", "show"]) {
      const found = onQuickjs(["config", command, file]);
      t.equal(found.status, vector.rc === 0 ? 0 : 1, `${vector.name}: status`);
      t.same(found, onNode(["config", command, file]), `${vector.name}: ${command}`);
    }
  }
});

const GOOD = `config binder 'main'
	option enabled '1'

config lan 'lan'
	option device 'br-lan'

config relay 'relay'
	list address '192.0.2.1'

config gateway 'school'
	option device 'eth1'
	option via '10.0.1.1'
`;

test("check on QuickJS accepts and refuses what it does on Node", (t) => {
  const file = join(temporary(t), "binder");
  const cases: readonly (readonly [string, string, number])[] = [
    ["a good file", GOOD, 0],
    ["an unknown option", `${GOOD}\toption colour 'red'\n`, 3],
    ["no address at all", GOOD.replace("10.0.1.1", "10.0.1.300"), 3],
    ["bytes that are no text", `${GOOD}\toption mtu '\xff\xfe'\n`, 3],
  ];
  for (const [name, text, status] of cases) {
    writeFileSync(file, Buffer.from(text, "latin1"));
    const found = onQuickjs(["check", file]);
    t.equal(found.status, status, `${name}: status`);
    t.same(found, onNode(["check", file]), name);
  }
  t.same(onQuickjs(["check", `${file}.none`]), onNode(["check", `${file}.none`]), "a file that is not there");
});

const FATES: readonly (readonly [string, string, RegExp])[] = [
  ["an exception", `throw new RangeError("mine");`, /RangeError: mine/],
  ["an exception in a timer", `setTimeout(() => { throw new RangeError("mine"); }, 1);`, /RangeError: mine/],
  ["an exception in a microtask", `queueMicrotask(() => { throw new RangeError("mine"); });`, /RangeError: mine/],
  ["a rejection that nobody handles", `void Promise.reject(new RangeError("mine"));`, /RangeError: mine/],
  ["one in an async function", `(async () => { await 1; null.x; })();`, /TypeError: /],
  [
    "an unhandled rejection beside one that is",
    `const p = Promise.reject(1); p.catch(() => 0); Promise.reject(new Error("mine"));`,
    /Error: mine/,
  ],
  ["a recursion without end", `const f = (n) => f(n + 1) + 1; f(0);`, /RangeError|InternalError/],
];

test("what nobody catches ends the program, with its words and status 1", (t) => {
  const directory = temporary(t);
  for (const [name, body, words] of FATES) {
    const source = join(directory, "fate.ts");
    writeFileSync(source, `import { createHost } from "#host"; createHost(); ${body} setTimeout(() => console.log("still here"), 500);`);
    build("node", source, join(directory, "fate"));
    build("quickjs", source, join(directory, "fate.js"));
    for (const [engine, command] of [
      ["Node", [process.execPath, join(directory, "fate")]],
      ["QuickJS", [...RUN, join(directory, "fate.js")]],
    ] as const) {
      const { status, stdout, stderr } = run(command, [], "");
      t.same([status, stdout], [1, ""], `${name} on ${engine}`);
      t.match(stderr, words, `${name} on ${engine}`);
    }
  }
});

test("a rejection that is handled in the same turn, and an end of all there was to wait for, are none of it", (t) => {
  const directory = temporary(t);
  const source = join(directory, "fate.ts");
  const body = `const p = Promise.reject(new Error("mine")); queueMicrotask(() => p.catch(() => console.log("handled")));
    setTimeout(() => console.log("last"), 20); new Promise(() => undefined);`;
  writeFileSync(source, `import { createHost } from "#host"; createHost(); ${body}`);
  build("node", source, join(directory, "fate"));
  build("quickjs", source, join(directory, "fate.js"));
  const wanted = run([process.execPath, join(directory, "fate")], [], "");
  t.same(wanted, { status: 0, stdout: "handled\nlast\n", stderr: "" });
  t.same(run([...RUN, join(directory, "fate.js")], [], ""), wanted);
});
