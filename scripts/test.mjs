/**
 * Runs test files: bundles each with esbuild into build/test/, runs it as a Node process of its own, reads its TAP, counts.
 *
 *     node scripts/test.mjs [FILE.test.ts ...]      all files of test/ by default
 *     FAILED_STEPS="lint build" node scripts/test.mjs      counts what went wrong before as failures
 *     ENGINES="node quickjs" node scripts/test.mjs         runs what needs no Node on QuickJS, too (QUICKJS: by this command)
 *     TEST_LIMIT=600 node scripts/test.mjs                 seconds for a file, in place of 180
 *
 * Counted are named tests, that is tests with no test inside. A file without tests, a test without assertions, a file that ends
 * badly and a file over its time limit are failures. Files run in three phases, a few at a time in the first two:
 *
 *     most files
 *     those of an emulated network, test/net/ and test/testbed/: they wait more than they work, but for long
 *     those named *.serial.test.ts, one after another: they measure, or use up the machine
 *
 * A lone file's output is shown as it comes.
 */
import { spawn } from "node:child_process";
import { createWriteStream, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, dirname, join, relative, resolve } from "node:path";
import { build } from "esbuild";
import { Parser } from "tap-parser";
import { bundleOptions, root } from "./bundle.mjs";
import { bundleForQuickjs } from "./quickjs-tests.mjs";

const ENGINES = (process.env.ENGINES ?? "node").split(" ");
const QUICKJS = (process.env.QUICKJS ?? "build/qjs/binder-run").split(" ");
const PARALLEL = Math.min(2, availableParallelism());
/** Seconds that a file may take; one of an emulated network, or that has the machine to itself, may take the longer. */
const LIMIT = Number(process.env.TEST_LIMIT ?? 180);
const LONG_LIMIT = 900;
const KILL_AFTER_MS = 10_000;
const DRAIN_MS = 2000;
const SLOWEST = 8;

const phaseOf = (file) => (file.endsWith(".serial.test.ts") ? "serial" : /^test\/(net|testbed)\//.test(file) ? "network" : "most");
/** How many files of each phase run at a time. */
const PHASES = [
  ["most", PARALLEL],
  ["network", PARALLEL],
  ["serial", 1],
];
/** These take longest, and are begun first: one of them begun last would run alone at the end of its phase. */
const LONGEST = ["idle", "others-rules", "relay-refuses", "failover", "wans", "direct"];
const placeOf = (file) => (LONGEST.indexOf(/^test\/net\/(.*)\.test\.ts$/.exec(file)?.[1]) + LONGEST.length + 1) % (LONGEST.length + 1);

const bundleOf = (file) => join(root, "build", file.replace(/\.ts$/, ".mjs"));

async function bundle(files) {
  // Versions of src that differ by engine stay apart: a test that wants QuickJS's imports it by name.
  const { metafile: _, ...options } = bundleOptions("node");
  await build({
    ...options,
    entryPoints: files,
    outdir: "build/test",
    outbase: "test",
    outExtension: { ".js": ".mjs" },
    format: "esm",
    packages: "external",
    sourcemap: "inline",
    sourcesContent: false,
  });
}

/** Reads one parser's tests into `tests`, with `path` before their names. */
function collect(parser, path, tests) {
  const children = [];
  parser.on("child", (child) => {
    const sub = { name: child.name, tests: [], assertions: 0, failures: [], done: false };
    children.push(sub);
    collect(child, [...path, child.name], sub.tests);
    child.on("assert", (result) => {
      sub.assertions += 1;
      if (!result.ok && !result.skip && !result.todo) sub.failures.push(describe(result));
    });
  });
  parser.on("assert", (result) => {
    const name = [...path, result.name].join(" > ");
    const ms = result.time ?? undefined;
    const sub = children.at(-1);
    const isTest = sub !== undefined && sub.name === result.name && !sub.done;
    if (isTest) sub.done = true;
    if (result.skip || result.todo) {
      const reason = result.skip || result.todo;
      tests.push({ name, state: "skipped", ms, why: reason === true ? "no reason given" : reason });
      return;
    }
    if (!isTest) {
      // An assertion: its test is counted by its parent, unless there is none.
      if (!result.ok && path.length === 0) tests.push({ name, state: "failed", ms, why: describe(result) });
      return;
    }
    const why = sub.failures.join("\n");
    if (sub.tests.length > 0) {
      tests.push(...sub.tests);
      if (!result.ok && !sub.tests.some((test) => test.state === "failed")) {
        tests.push({ name, state: "failed", ms, why: why || describe(result) });
      }
    } else if (sub.assertions === 0) {
      tests.push({ name, state: "failed", ms, why: "it asserts nothing of t's (after fc.assert(...) say t.pass())" });
    } else {
      tests.push({ name, state: result.ok ? "passed" : "failed", ms, ...(result.ok ? {} : { why: why || describe(result) }) });
    }
  });
  parser.on("bailout", (reason) => {
    if (path.length === 0) tests.push({ name: "the file", state: "failed", why: `bailed out: ${reason}` });
  });
}

function describe(result) {
  const { at, source: _source, stack, diff, ...rest } = result.diag ?? {};
  const where = at?.fileName === undefined ? "" : ` (${at.fileName}:${at.lineNumber})`;
  const lines = [`${result.name || "assertion"}${where}`];
  if (diff) lines.push(diff.trimEnd());
  for (const [key, value] of Object.entries(rest)) lines.push(`${key}: ${typeof value === "string" ? value : JSON.stringify(value)}`);
  if (!diff && stack) lines.push(stack.trimEnd());
  return lines.join("\n");
}

const allFiles = () =>
  readdirSync(join(root, "test"), { recursive: true })
    .filter((file) => file.endsWith(".test.ts"))
    .map((file) => join("test", file));

const running = new Set();

function kill(child, signal) {
  try {
    process.kill(-child.pid, signal);
  } catch {
    // It ended just now.
  }
}

/** What is run, of a file on an engine, and the name that the file goes by then. */
const jobsOnNode = (files) =>
  files.map((file) => ({ file, name: file, bundled: bundleOf(file), command: [process.execPath, "--enable-source-maps"], args: [] }));

async function jobsOnQuickjs(files) {
  const { bundles, others } = await bundleForQuickjs(files);
  console.log(`on QuickJS: ${bundles.size} files; ${others.length} need Node`);
  const args = process.env.TEST_ONLY === undefined ? [] : [process.env.TEST_ONLY];
  return [...bundles].map(([file, bundled]) => ({ file, name: `${file} (QuickJS)`, bundled, command: QUICKJS, args }));
}

async function run({ file, name, bundled, command: [program, ...options], args }, live) {
  const log = `${bundled.replace(/\.m?js$/, "")}.tap`;
  mkdirSync(dirname(log), { recursive: true });
  const output = createWriteStream(log);
  const limit = phaseOf(file) === "most" ? LIMIT : LONG_LIMIT;
  const tests = [];
  const parser = new Parser({});
  collect(parser, [], tests);
  const started = performance.now();
  const child = spawn(program, [...options, bundled, ...args], {
    cwd: root,
    // A group of its own, so that all it started can be ended with it.
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, TAP_TIMEOUT: String(limit), FORCE_COLOR: "0" },
  });
  running.add(child);
  let stderr = "";
  child.stdout.on("data", (chunk) => {
    output.write(chunk);
    parser.write(chunk.toString("utf8"));
    if (live) process.stdout.write(chunk);
  });
  child.stderr.on("data", (chunk) => {
    output.write(chunk);
    stderr = (stderr + chunk.toString("utf8")).slice(-20_000);
    if (live) process.stderr.write(chunk);
  });
  let late = false;
  const timers = [
    setTimeout(
      () => {
        late = true;
        kill(child, "SIGTERM");
        timers.push(setTimeout(() => kill(child, "SIGKILL"), KILL_AFTER_MS));
      },
      // tap's own limit fires first and says which test it was.
      limit * 1000 + 5000,
    ),
  ];
  const status = await new Promise((done) => {
    child.on("close", (code, signal) => done(signal ?? code));
    // A helper left running in the background holds the pipe: not for long.
    child.on("exit", (code, signal) => timers.push(setTimeout(done, DRAIN_MS, signal ?? code)));
    child.on("error", (error) => done(error.message));
  });
  for (const timer of timers) clearTimeout(timer);
  running.delete(child);
  kill(child, "SIGTERM");
  child.stdout.destroy();
  child.stderr.destroy();
  parser.end();
  output.end();
  if (late) tests.push({ name: "the file", state: "failed", why: `took more than ${limit} s` });
  else if (status !== 0 && !tests.some((test) => test.state === "failed")) {
    tests.push({ name: "the file", state: "failed", why: `ended with ${status}\n${stderr}` });
  }
  if (tests.length === 0) tests.push({ name: "the file", state: "failed", why: "has no tests" });
  return { file: name, tests, seconds: (performance.now() - started) / 1000, stderr, log: relative(root, log) };
}

const indent = (text) => text.replace(/^/gm, "      ");
const count = (tests, state) => tests.filter((test) => test.state === state).length;

function report(result) {
  const failed = count(result.tests, "failed");
  const skipped = count(result.tests, "skipped");
  const counts = `${count(result.tests, "passed")} passed${failed ? `, ${failed} FAILED` : ""}${skipped ? `, ${skipped} skipped` : ""}`;
  console.log(`${failed ? "not ok" : "ok    "} ${result.seconds.toFixed(1).padStart(6)} s  ${result.file}: ${counts}`);
  for (const test of result.tests) {
    if (test.state === "failed") console.log(`    FAILED: ${test.name}\n${indent(test.why)}`);
    if (test.state === "skipped") console.log(`    skipped: ${test.name}: ${test.why}`);
  }
  if (failed && result.stderr.trim() !== "")
    console.log(`    its standard error ends with\n${indent(result.stderr.trimEnd().split("\n").slice(-20).join("\n"))}`);
  if (failed) console.log(`    all of its output: ${result.log}`);
}

async function inTurn(jobs, parallel, live, results) {
  const queue = [...jobs];
  const worker = async () => {
    for (let job = queue.shift(); job !== undefined; job = queue.shift()) {
      const result = await run(job, live);
      report(result);
      results.push(result);
    }
  };
  await Promise.all(Array.from({ length: parallel }, worker));
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => {
    for (const child of running) kill(child, "SIGTERM");
    process.exit(130);
  });
}

const asked = process.argv.slice(2).map((file) => relative(root, resolve(file)));
const files = (asked.length > 0 ? asked : allFiles()).sort().sort((one, other) => placeOf(one) - placeOf(other));
const started = performance.now();
const results = [];
if (files.length > 0) {
  if (ENGINES.includes("node")) await bundle(files);
  const jobs = [...(ENGINES.includes("node") ? jobsOnNode(files) : []), ...(ENGINES.includes("quickjs") ? await jobsOnQuickjs(files) : [])];
  for (const [phase, parallel] of PHASES) {
    const inPhase = jobs.filter(({ file }) => phaseOf(file) === phase);
    await inTurn(inPhase, parallel, jobs.length === 1, results);
  }
}
const tests = results.flatMap((result) => result.tests);
const failures = results.flatMap((result) =>
  result.tests.filter((test) => test.state === "failed").map((test) => `${result.file}: ${test.name}`),
);
for (const step of (process.env.FAILED_STEPS ?? "").split(" ").filter(Boolean)) failures.push(`make ${step}`);
mkdirSync(join(root, "build/test"), { recursive: true });
writeFileSync(
  join(root, "build/test/results.json"),
  `${JSON.stringify(
    results.map(({ stderr: _, ...rest }) => rest),
    undefined,
    1,
  )}\n`,
);

const slowest = results.toSorted((a, b) => b.seconds - a.seconds).slice(0, SLOWEST);
if (results.length > 1)
  console.log(
    `\nslowest of ${results.length} files:\n${slowest.map((r) => `  ${r.seconds.toFixed(1).padStart(6)} s  ${r.file}`).join("\n")}`,
  );
if (failures.length > 0) console.log(`\nfailed:\n${failures.map((name) => `  ${name}`).join("\n")}`);
console.log(`\n${((performance.now() - started) / 1000).toFixed(0)} s`);
const skipped = count(tests, "skipped");
const passed = count(tests, "passed");
if (tests.length === 0) console.log("there are no tests");
console.log(`${passed} passed, ${failures.length} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exitCode = failures.length > 0 || passed === 0 ? 1 : 0;
