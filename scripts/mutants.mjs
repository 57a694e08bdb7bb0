/**
 * Breaks Binder on purpose: each patch of test/mutants/ must turn the test that it names red.
 *
 *     node scripts/mutants.mjs [NAME ...]      test/mutants/NAME.patch; all of them by default
 *
 * A patch (for `patch -p1`) begins with a header:
 *
 *     What: no endpoint is added
 *     Test: test/net/aggregate.serial.test.ts
 *     Name: one download over four gateways
 *     Alone: no
 *
 * Name is the test's, with ` > ` before that of a test inside it. `Alone: no` runs the whole file, for a test that needs those before
 * it; by default only the named one runs. Each patch is tried on a copy of the tree in build/mutants/. First the named tests run on a
 * clean copy: a test that is red anyway catches nothing. A survivor fails, and so does a patch that does not apply, does not build, or
 * whose types are wrong (unused names apart). A few run at a time, those of *.serial.test.ts one after another.
 */
import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { root } from "./bundle.mjs";

const PARALLEL = Math.min(2, availableParallelism());

const FOLDER = join(root, "test/mutants");
const COPIES = join(root, "build/mutants");

function header(name) {
  const text = readFileSync(join(FOLDER, `${name}.patch`), "utf8");
  const field = (key) => new RegExp(`^${key}: (.+)$`, "m").exec(text)?.[1]?.trim();
  const [what, file, test] = ["What", "Test", "Name"].map(field);
  if (what === undefined || file === undefined || test === undefined) throw new Error(`${name}.patch: its header lacks What, Test or Name`);
  return { name, what, file, test, alone: field("Alone") !== "no" };
}

const run = (directory, program, args, environment = {}) =>
  new Promise((done) => {
    const options = { cwd: directory, env: { ...process.env, ...environment }, encoding: "utf8", maxBuffer: 1 << 28 };
    execFile(program, args, options, (error, stdout, stderr) => {
      const reason = error === null || typeof error.code === "number" ? "" : error.message;
      done({ ok: error === null, output: `${stdout}${stderr}${reason}` });
    });
  });

/** Its own sources, committed or not, and everybody's packages. */
async function copyTree(name) {
  const copy = join(COPIES, name);
  rmSync(copy, { recursive: true, force: true });
  const { output } = await run(root, "git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
  for (const file of output.split("\0").filter((path) => path !== "" && existsSync(join(root, path)))) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(join(root, file), join(copy, file), { preserveTimestamps: true });
  }
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  // With their times, so that only what a mutant changes is compiled.
  for (const part of ["tree", "objects"]) {
    const from = join(root, "build/qjs", part);
    if (existsSync(from)) cpSync(from, join(copy, "build/qjs", part), { recursive: true, preserveTimestamps: true });
  }
  return copy;
}

const checkTypes = (copy) =>
  run(copy, process.execPath, [
    "node_modules/typescript/bin/tsc",
    ...["-p", "src/tsconfig.json", "--noUnusedLocals", "false", "--noUnusedParameters", "false"],
  ]);

/** Builds the tree and runs the named test: "passed", "failed", or what else came of it. */
async function verdict(copy, mutant) {
  if (typesCount) {
    const types = await checkTypes(copy);
    if (!types.ok) return { state: "wrong types", output: types.output };
  }
  const built = await run(copy, process.execPath, ["scripts/build.mjs"]);
  if (!built.ok) return { state: "does not build", output: built.output };
  const results = join(copy, "build/test/results.json");
  rmSync(results, { force: true });
  const top = mutant.test.split(" > ")[0];
  const ran = await run(copy, process.execPath, ["scripts/test.mjs", mutant.file], mutant.alone ? { TEST_ONLY: top } : {});
  if (!existsSync(results)) return { state: "did not run", output: ran.output };
  const [{ tests }] = JSON.parse(readFileSync(results, "utf8"));
  const named = tests.filter(({ name }) => name === mutant.test || name.startsWith(`${mutant.test} > `));
  if (named.some(({ state }) => state === "failed")) return { state: "failed", output: ran.output };
  if (named.length === 0) return { state: "did not run", output: ran.output };
  return { state: named.every(({ state }) => state === "passed") ? "passed" : "skipped", output: ran.output };
}

const indent = (text) => text.trimEnd().split("\n").slice(-15).join("\n").replace(/^/gm, "      ");

const names = readdirSync(FOLDER)
  .filter((file) => file.endsWith(".patch"))
  .map((file) => file.replace(/\.patch$/, ""))
  .sort();
const asked = process.argv.slice(2);
for (const name of asked) if (!names.includes(name)) throw new Error(`there is no test/mutants/${name}.patch`);
const mutants = (asked.length > 0 ? asked : names).map(header);

/** Does `work` with each mutant that is given. */
async function inTurn(given, work) {
  const serial = ({ file }) => file.endsWith(".serial.test.ts");
  for (const [phase, parallel] of [
    [given.filter((mutant) => !serial(mutant)), PARALLEL],
    [given.filter(serial), 1],
  ]) {
    const queue = [...phase];
    const worker = async () => {
      for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) await work(mutant);
    };
    await Promise.all(Array.from({ length: parallel }, worker));
  }
}

const keyOf = ({ file, test, alone }) => JSON.stringify([file, test, alone]);
const baseline = new Map(mutants.map((mutant) => [keyOf(mutant), undefined]));
const firsts = [...baseline.keys()].map((key) => mutants.find((mutant) => keyOf(mutant) === key));

const clean = await copyTree("clean");
const typesCount = (await checkTypes(clean)).ok;
rmSync(clean, { recursive: true, force: true });
if (!typesCount) console.log("unbroken: the types are wrong already, so those of the mutants are not looked at");
await inTurn(firsts, async (mutant) => {
  const copy = await copyTree(`unbroken-${mutant.name}`);
  const result = await verdict(copy, mutant);
  rmSync(copy, { recursive: true, force: true });
  baseline.set(keyOf(mutant), result);
  console.log(`unbroken: ${result.state.padEnd(8)} ${mutant.file}: ${mutant.test}`);
  if (result.state !== "passed") console.log(indent(result.output));
});

let escaped = 0;
const width = Math.max(...mutants.map(({ name }) => name.length), 0);
console.log("");
await inTurn(mutants, async (mutant) => {
  const started = performance.now();
  const base = baseline.get(keyOf(mutant));
  let result = { state: `named test ${base.state} unbroken`, output: "" };
  if (base.state === "passed") {
    const copy = await copyTree(mutant.name);
    const patched = await run(copy, "patch", ["-p1", "--forward", "--no-backup-if-mismatch", "-i", join(FOLDER, `${mutant.name}.patch`)]);
    result = patched.ok ? await verdict(copy, mutant) : { state: "does not apply", output: patched.output };
    rmSync(copy, { recursive: true, force: true });
  }
  const caught = result.state === "failed";
  if (!caught) escaped += 1;
  const word = caught ? "caught" : result.state === "passed" ? "SURVIVED" : result.state.toUpperCase();
  console.log(
    `${mutant.name.padEnd(width)}  ${word.padEnd(8)}  ${((performance.now() - started) / 1000).toFixed(1).padStart(6)} s  ${mutant.what}`,
  );
  if (!caught) console.log(`      ${mutant.file}: ${mutant.test}\n${indent(result.output)}`);
});
console.log(`\n${mutants.length - escaped} caught, ${escaped} not`);
process.exitCode = escaped > 0 || mutants.length === 0 ? 1 : 0;
