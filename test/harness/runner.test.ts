import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join, resolve } from "node:path";
import { type Test, test } from "./index.ts";

// The runner decides whether a change is good, so what it says of bad test files is tested too: in a small project of its own.

/** A file's name without a folder is one in test/harness/; others are below test/, too. */
function project(t: Test, files: Readonly<Record<string, string>>): string {
  mkdirSync("build", { recursive: true });
  const root = mkdtempSync(resolve("build/runner-"));
  t.teardown(() => rmSync(root, { recursive: true }));
  for (const path of ["scripts", "package.json", "test/harness/index.ts"]) cpSync(path, join(root, path), { recursive: true });
  for (const path of ["node_modules", "src"]) symlinkSync(resolve(path), join(root, path));
  for (const [name, body] of Object.entries(files)) {
    const path = join(root, "test", name.includes("/") ? name : `harness/${name}`);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `import { test } from "../harness/index.ts";\n${body}\n`);
  }
  return root;
}

interface Ending {
  readonly status: number | null;
  readonly output: string;
  readonly lastLine: string;
}

function runTests(root: string, environment: Readonly<Record<string, string>> = {}): Ending {
  // The run that this test is part of may have failed steps and engines of its own.
  const env = { ...process.env, FAILED_STEPS: "", ENGINES: "node", ...environment };
  const { status, stdout, stderr } = spawnSync(process.execPath, ["scripts/test.mjs"], { cwd: root, env, encoding: "utf8" });
  return { status, output: stdout + stderr, lastLine: stdout.trimEnd().split("\n").at(-1) ?? "" };
}

const GOOD = `test("good", (t) => t.equal(1, 1));`;

test("leaf tests are counted, and the last line says so", (t) => {
  const root = project(t, {
    "a.test.ts": `${GOOD}\ntest("outer", async (t) => { for (const name of ["one", "two"]) await t.test(name, (t) => { t.ok(true); t.ok(true); }); });`,
    "b.serial.test.ts": `test("good", (t) => t.same([1], [1])); test("can't", { skip: "no such machine" }, (t) => t.fail());`,
  });
  const ending = runTests(root);
  t.equal(ending.lastLine, "4 passed, 0 failed, 1 skipped");
  t.equal(ending.status, 0);
  t.match(ending.output, /skipped: can't: no such machine/);
  t.match(runTests(root, { TEST_ONLY: "good" }), { status: 0, lastLine: "2 passed, 0 failed" });
  t.match(runTests(root, { FAILED_STEPS: " lint build" }), { status: 1, lastLine: "4 passed, 2 failed, 1 skipped" });
});

const BAD: readonly (readonly [string, string, RegExp])[] = [
  ["an assertion that fails", `test("bad", (t) => t.equal(1, 2));`, /FAILED: bad\n/],
  ["one in a test within", `test("outer", (t) => t.test("bad", (t) => t.throws(() => undefined)));`, /FAILED: outer > bad\n/],
  ["one beside a test within", `test("bad", async (t) => { t.ok(false); await t.test("inner", (t) => t.ok(true)); });`, /FAILED: bad\n/],
  ["an exception", `test("bad", () => { throw new Error("boo"); });`, /FAILED: bad\n +boo /],
  ["a rejection", `test("bad", async () => { await Promise.reject(new Error("boo")); });`, /FAILED: bad\n +boo /],
  ["a test that asserts nothing", `test("bad", () => undefined);`, /FAILED: bad\n +it asserts nothing/],
  [
    "a test that never ends",
    `test("bad", { timeout: 300 }, async () => { await new Promise((r) => setTimeout(r, 5000)); });`,
    /FAILED: bad\n/,
  ],
  ["a promise that nobody settles", `test("bad", () => new Promise(() => undefined));`, /FAILED: bad\n/],
  ["a teardown that throws", `test("bad", (t) => { t.ok(true); t.teardown(() => { throw new Error("boo"); }); });`, /FAILED: .*\n/],
  ["an exit in the middle", `${GOOD} test("bad", (t) => { t.ok(true); process.exit(0); });`, /FAILED: /],
  ["a status that is not 0", `${GOOD} process.on("exit", () => { process.exitCode = 3; });`, /FAILED: the file\n +ended with 3/],
  ["a file without tests", `void test;`, /FAILED: the file\n +has no tests/],
  ["a file that does not load", `throw new Error("boo");`, /FAILED: the file\n +ended with [^]*boo/],
];

for (const [name, body, wanted] of BAD) {
  test(`a failure: ${name}`, (t) => {
    const ending = runTests(project(t, { "bad.test.ts": body }));
    t.match(ending.output, wanted);
    t.match(ending.lastLine, /^\d passed, [1-9] failed$/);
    t.equal(ending.status, 1);
  });
}

test("no files at all, a syntax error and an unknown import fail", (t) => {
  t.match(runTests(project(t, {})), { status: 1, lastLine: "0 passed, 0 failed" });
  t.equal(runTests(project(t, { "bad.test.ts": "const = 1;" })).status, 1);
  t.equal(runTests(project(t, { "bad.test.ts": `import { nothing } from "./index.ts"; ${GOOD} nothing();` })).status, 1);
});

test("processes that a test leaves behind end with it", (t) => {
  const root = project(t, {
    "a.test.ts": `import { spawn } from "node:child_process";
      test("leaves one", (t) => { const child = spawn("sleep", ["61.7"], { stdio: "inherit" }); child.unref(); t.ok(child.pid); });`,
  });
  t.match(runTests(root), { status: 0, lastLine: "1 passed, 0 failed" });
  t.notMatch(execFileSync("ps", ["-eo", "args"], { encoding: "utf8" }), /^sleep 61\.7$/m);
});

/** A file that writes down when it begins and ends, and waits in between until `others` have begun, or for so many milliseconds. */
const witness = (name: string, others: readonly string[], ms: number): string =>
  `import { appendFileSync, existsSync, readFileSync } from "node:fs";
   test(${JSON.stringify(name)}, async (t) => {
     const begun = (other) => existsSync("order") && readFileSync("order", "utf8").includes("begin " + other + "\\n");
     appendFileSync("order", "begin ${name}\\n");
     const others = ${JSON.stringify(others)};
     const deadline = Date.now() + ${String(ms)};
     while (Date.now() < deadline && !(others.length > 0 && others.every(begun))) await new Promise((r) => setTimeout(r, 20));
     t.ok(others.every(begun), "all have begun");
     appendFileSync("order", "end ${name}\\n");
   });`;

test("files of the emulated network run beside each other once most are done, and the serial ones alone, at last", (t) => {
  const side = availableParallelism() > 1;
  const root = project(t, {
    "a.test.ts": witness("a", [], 500),
    "net/b.test.ts": witness("b", side ? ["failover"] : [], side ? 20_000 : 300),
    "net/failover.test.ts": witness("failover", side ? ["b"] : [], side ? 20_000 : 300),
    "net/c.serial.test.ts": witness("c", [], 500),
    "testbed/d.serial.test.ts": witness("d", [], 500),
  });
  t.match(runTests(root), { status: 0, lastLine: "5 passed, 0 failed" });
  const order = readFileSync(join(root, "order"), "utf8").trimEnd().split("\n");
  t.same([...order.slice(0, 2), ...order.slice(-4)], ["begin a", "end a", "begin c", "end c", "begin d", "end d"]);
  t.same([...order.slice(2, -4)].sort(), ["begin b", "begin failover", "end b", "end failover"]);
});

test("the longest files of the emulated network are begun first", (t) => {
  const root = project(t, {
    "net/a.test.ts": witness("a", [], 1),
    "net/b.test.ts": witness("b", [], 1),
    "net/idle.test.ts": witness("idle", [], 3_000),
    "net/failover.test.ts": witness("failover", [], 3_000),
  });
  t.match(runTests(root), { status: 0, lastLine: "4 passed, 0 failed" });
  const order = readFileSync(join(root, "order"), "utf8").trimEnd().split("\n");
  const begun = order.filter((line) => line.startsWith("begin ")).map((line) => line.slice(6));
  t.same([...begun.slice(0, 2)].sort(), ["failover", "idle"]);
});
