/**
 * What a test file imports. On Node it is tap; the subset is small so that another engine can print TAP by itself.
 *
 *     import { test } from "../harness/index.ts";
 *     test("adds", (t) => {
 *       t.equal(1 + 1, 2);
 *     });
 *
 * A test ends when its body returns, or when the promise that the body returns is settled.
 */
import { type Test as TapTest, test as tapTest } from "tap";

export interface TestOptions {
  /** Milliseconds; by default the file's own limit. */
  readonly timeout?: number;
  /** Why the test can't run here. It is counted and printed as skipped. */
  readonly skip?: string;
}

export type TestBody = (t: Test) => unknown;

/** Properties that an error must have; a pattern stands for texts it matches. */
export type ErrorProperties = { readonly [property: string]: unknown } & (
  | { readonly message: string | RegExp }
  | { readonly name: string | RegExp }
  | { readonly code: string | RegExp }
);

/** An error's class, a pattern for its message, or properties. */
export type ErrorMatch = RegExp | Error | ErrorConstructor | ErrorProperties | (new (...args: never[]) => Error);

export interface Test {
  readonly name: string;
  /** `===`, and NaN equals NaN. */
  readonly equal: (found: unknown, wanted: unknown, message?: string) => boolean;
  readonly not: (found: unknown, unwanted: unknown, message?: string) => boolean;
  /** Deeply equal; primitive values are compared loosely (`1` and `"1"`). */
  readonly same: (found: unknown, wanted: unknown, message?: string) => boolean;
  readonly notSame: (found: unknown, unwanted: unknown, message?: string) => boolean;
  /** Deeply equal, types included. */
  readonly strictSame: (found: unknown, wanted: unknown, message?: string) => boolean;
  readonly ok: (value: unknown, message?: string) => boolean;
  readonly notOk: (value: unknown, message?: string) => boolean;
  /** Has at least what the pattern names; a regular expression matches text. */
  readonly match: (found: unknown, pattern: unknown, message?: string) => boolean;
  readonly notMatch: (found: unknown, pattern: unknown, message?: string) => boolean;
  readonly throws: (body: () => unknown, wanted?: ErrorMatch, message?: string) => void;
  readonly rejects: (promise: Promise<unknown> | (() => Promise<unknown>), wanted?: ErrorMatch, message?: string) => Promise<void>;
  readonly pass: (message?: string) => void;
  readonly fail: (message?: string) => void;
  readonly comment: (message: string) => void;
  /** Runs after the test, the last one declared first, whatever became of it; may answer a promise. */
  readonly teardown: (body: () => unknown) => void;
  /** A test within this one. Await it. */
  readonly test: {
    (name: string, body: TestBody): Promise<void>;
    (name: string, options: TestOptions, body: TestBody): Promise<void>;
  };
}

function wrap(t: TapTest): Test {
  // tap reports the line that called `currentAssert`: that must be this function's caller, not this file.
  const from = (own: (...args: never[]) => unknown): void => {
    t.currentAssert = own;
  };
  const self: Test = {
    name: t.name,
    equal(found, wanted, message) {
      from(self.equal);
      return t.equal(found, wanted, message ?? "");
    },
    not(found, unwanted, message) {
      from(self.not);
      return t.not(found, unwanted, message ?? "");
    },
    same(found, wanted, message) {
      from(self.same);
      return t.same(found, wanted, message ?? "");
    },
    notSame(found, unwanted, message) {
      from(self.notSame);
      return t.notSame(found, unwanted, message ?? "");
    },
    strictSame(found, wanted, message) {
      from(self.strictSame);
      return t.strictSame(found, wanted, message ?? "");
    },
    ok(value, message) {
      from(self.ok);
      return t.ok(value, message ?? "");
    },
    notOk(value, message) {
      from(self.notOk);
      return t.notOk(value, message ?? "");
    },
    match(found, pattern, message) {
      from(self.match);
      return t.match(found, pattern, message ?? "");
    },
    notMatch(found, pattern, message) {
      from(self.notMatch);
      return t.notMatch(found, pattern, message ?? "");
    },
    throws(body, wanted, message) {
      from(self.throws);
      if (wanted === undefined) t.throws(body, message ?? "");
      else t.throws(body, wanted, message ?? "");
    },
    async rejects(promise, wanted, message) {
      from(self.rejects);
      if (wanted === undefined) await t.rejects(promise, message ?? "");
      else await t.rejects(promise, wanted, message ?? "");
    },
    pass(message) {
      from(self.pass);
      t.pass(message ?? "");
    },
    fail(message) {
      from(self.fail);
      t.fail(message ?? "");
    },
    comment(message) {
      t.comment(message);
    },
    teardown(body) {
      t.teardown(body);
    },
    async test(name: string, first: TestOptions | TestBody, second?: TestBody) {
      const [options, body] = arrange(name, first, second);
      await t.test(name, options, async (inner) => {
        await body(wrap(inner));
      });
    },
  };
  return self;
}

function arrange(name: string, first: TestOptions | TestBody, second: TestBody | undefined): [TestOptions, TestBody] {
  if (typeof first === "function") return [{}, first];
  if (second === undefined) throw new TypeError(`test "${name}" has no body`);
  return [first, second];
}

/** Runs the one test of this name in the file, or all. */
const only = process.env["TEST_ONLY"];

/** Declares a test; a file's tests run one after another in the order they were declared. */
export function test(name: string, body: TestBody): void;
export function test(name: string, options: TestOptions, body: TestBody): void;
export function test(name: string, first: TestOptions | TestBody, second?: TestBody): void {
  const [options, body] = arrange(name, first, second);
  if (only !== undefined && only !== name) return;
  void tapTest(name, { ...options }, async (t) => {
    await body(wrap(t));
  });
}
