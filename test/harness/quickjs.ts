/**
 * The harness on QuickJS: the build puts it in the place of index.ts. It prints TAP as tap does, as far as scripts/test.mjs reads it, and
 * runs all tests of the file, or those that the first argument names. A file that ends before its last test prints no plan.
 */
import { createHost } from "#host";
import { agrees } from "./compare.ts";
import type { ErrorMatch, Test, TestBody, TestOptions } from "./index.ts";
import { describe, quoted } from "./describe.ts";

export type { ErrorMatch, Test, TestBody, TestOptions };

const { program, clock } = createHost();
const [only] = program.args;

/** One level of TAP: the file, or a test. */
class Level {
  readonly #indent: string;
  #count = 0;
  failed = 0;

  constructor(indent: string) {
    this.#indent = indent;
  }

  result(ok: boolean, name: string, directive = "", details: Readonly<Record<string, string>> = {}): boolean {
    this.#count += 1;
    if (!ok) this.failed += 1;
    // A number sign would begin a directive.
    const words = name.replaceAll("\\", "\\\\").replaceAll("#", "\\#").replaceAll("\n", " ");
    this.line(`${ok ? "ok" : "not ok"} ${this.#count}${words === "" ? "" : ` - ${words}`}${directive}`);
    const entries = Object.entries(details);
    if (!ok && entries.length > 0) {
      this.line("  ---");
      for (const [key, value] of entries) this.line(`  ${key}: ${quoted(value)}`);
      this.line("  ...");
    }
    return ok;
  }

  line(text: string): void {
    program.stdout(`${this.#indent}${text}\n`);
  }

  plan(): void {
    this.line(`1..${this.#count}`);
  }

  within(): Level {
    return new Level(`${this.#indent}    `);
  }
}

const errorText = (error: unknown): string =>
  error instanceof Error ? `${error.name}: ${error.message}\n${error.stack ?? ""}` : describe(error);

function isWanted(error: unknown, wanted: ErrorMatch | undefined): boolean {
  if (wanted === undefined) return true;
  if (wanted instanceof RegExp) return wanted.test(error instanceof Error ? error.message : describe(error));
  if (typeof wanted === "function") return error instanceof wanted;
  return agrees(error, wanted instanceof Error ? { name: wanted.name, message: wanted.message } : wanted, "pattern");
}

function makeTest(name: string, level: Level, teardowns: (() => unknown)[]): Test {
  const compare = (ok: boolean, message: string | undefined, found: unknown, wanted: unknown): boolean =>
    level.result(ok, message ?? "", "", { found: describe(found), wanted: describe(wanted), stack: new Error().stack ?? "" });
  const thrown = (
    what: "throws" | "rejects",
    error: { value: unknown } | undefined,
    wanted: ErrorMatch | undefined,
    message?: string,
  ): void => {
    if (error === undefined) level.result(false, message ?? `expected to ${what === "throws" ? "throw" : "reject"}`);
    else level.result(isWanted(error.value, wanted), message ?? what, "", { found: errorText(error.value), wanted: describe(wanted) });
  };
  return {
    name,
    equal: (found, wanted, message) => compare(Object.is(found, wanted) || found === wanted, message, found, wanted),
    not: (found, wanted, message) => compare(!Object.is(found, wanted) && found !== wanted, message, found, wanted),
    same: (found, wanted, message) => compare(agrees(found, wanted, "loose"), message, found, wanted),
    notSame: (found, wanted, message) => compare(!agrees(found, wanted, "loose"), message, found, wanted),
    strictSame: (found, wanted, message) => compare(agrees(found, wanted, "strict"), message, found, wanted),
    ok: (value, message) => compare(Boolean(value), message, value, true),
    notOk: (value, message) => compare(!value, message, value, false),
    match: (found, wanted, message) => compare(agrees(found, wanted, "pattern"), message, found, wanted),
    notMatch: (found, wanted, message) => compare(!agrees(found, wanted, "pattern"), message, found, wanted),
    throws(body, wanted, message) {
      try {
        body();
      } catch (error) {
        thrown("throws", { value: error }, wanted, message);
        return;
      }
      thrown("throws", undefined, wanted, message);
    },
    async rejects(promise, wanted, message) {
      try {
        await (typeof promise === "function" ? promise() : promise);
      } catch (error) {
        thrown("rejects", { value: error }, wanted, message);
        return;
      }
      thrown("rejects", undefined, wanted, message);
    },
    pass: (message) => void level.result(true, message ?? ""),
    fail: (message) => void level.result(false, message ?? "", "", { stack: new Error().stack ?? "" }),
    comment: (message) => level.line(`# ${message}`),
    teardown: (body) => void teardowns.push(body),
    test: async (inner: string, first: TestOptions | TestBody, second?: TestBody) => {
      await run(level, inner, ...arrange(inner, first, second));
    },
  };
}

/** Rejects if the body takes longer than its test may. */
async function limited(body: () => unknown, limit: number | undefined): Promise<void> {
  if (limit === undefined) {
    await body();
    return;
  }
  const over = new AbortController();
  const late = clock.sleep(limit, over.signal).then(() => {
    throw new Error(`not within ${limit} ms`);
  });
  try {
    await Promise.race([late, (async () => await body())()]);
  } finally {
    over.abort();
    late.catch(() => undefined);
  }
}

async function run(level: Level, name: string, options: TestOptions, body: TestBody): Promise<void> {
  if (options.skip !== undefined) {
    level.result(true, name, ` # SKIP ${options.skip}`);
    return;
  }
  const started = clock.monotonic();
  level.line(`# Subtest: ${name}`);
  const within = level.within();
  const teardowns: (() => unknown)[] = [];
  const attempt = async (what: string, action: () => unknown): Promise<void> => {
    try {
      await action();
    } catch (error) {
      within.result(false, what, "", { error: errorText(error) });
    }
  };
  const t = makeTest(name, within, teardowns);
  await attempt("it ends well", async () => await limited(() => body(t), options.timeout));
  for (const teardown of teardowns.reverse()) await attempt("its teardown ends well", teardown);
  within.plan();
  level.result(within.failed === 0, name, ` # time=${(clock.monotonic() - started).toFixed(2)}ms`);
}

function arrange(name: string, first: TestOptions | TestBody, second: TestBody | undefined): [TestOptions, TestBody] {
  if (typeof first === "function") return [{}, first];
  if (second === undefined) throw new TypeError(`test "${name}" has no body`);
  return [first, second];
}

const top = new Level("");
const declared: (() => Promise<void>)[] = [];

export function test(name: string, body: TestBody): void;
export function test(name: string, options: TestOptions, body: TestBody): void;
export function test(name: string, first: TestOptions | TestBody, second?: TestBody): void {
  const [options, body] = arrange(name, first, second);
  if (only !== undefined && only !== name) return;
  declared.push(async () => await run(top, name, options, body));
}

async function runAll(): Promise<void> {
  // The file declares its tests first.
  await Promise.resolve();
  top.line("TAP version 14");
  for (const next of declared) await next();
  top.plan();
  program.exit(top.failed > 0 ? 1 : 0);
}

setTimeout(() => {
  runAll().catch((error: unknown) => {
    program.stderr(`${errorText(error)}\n`);
    program.exit(1);
  });
}, 0);
