import * as native from "binder:native";
import { hostError, translated } from "../errors.ts";
import { type Conversation, type DetachedOptions, HostError, type Processes, type RunOptions, type RunResult } from "../types.ts";
import { startChild } from "./child.ts";
import type { Descriptor } from "./descriptor.ts";

const DEFAULT_LIMIT = 10_000;

async function collect(output: Descriptor | undefined): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of output?.chunks() ?? []) {
    chunks.push(chunk);
    size += chunk.length;
  }
  const [first] = chunks;
  if (first?.length === size) return first;
  const whole = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}

/** A program that ends before it has read all its input is judged by its status. */
async function feed(input: Descriptor, bytes: Uint8Array | undefined): Promise<void> {
  if (bytes !== undefined) await input.write(bytes).catch(() => undefined);
  input.close();
}

async function run(program: string, args: readonly string[], signal: AbortSignal, options: RunOptions = {}): Promise<RunResult> {
  signal.throwIfAborted();
  const limit = options.limit ?? DEFAULT_LIMIT;
  const child = startChild(program, args, options.directory ?? "/", true);
  let cut: { readonly reason: unknown } | undefined;
  /** Whatever else holds its pipes: nobody waits for that. */
  const stop = (reason: unknown): void => {
    cut ??= { reason };
    child.kill();
    for (const pipe of [child.stdin, child.stdout, child.stderr]) pipe?.close();
  };
  const onAbort = (): void => {
    stop(signal.reason);
  };
  const timer = setTimeout(() => {
    stop(new HostError("ETIMEDOUT", `${program} did not end within ${limit} ms`));
  }, limit);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    const [status, stdout, stderr] = await Promise.all([
      child.ended,
      collect(child.stdout),
      collect(child.stderr),
      feed(child.stdin, options.input),
    ]);
    if (cut !== undefined) throw cut.reason;
    return { status, stdout, stderr };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}

async function detach(program: string, args: readonly string[], options: DetachedOptions): Promise<number> {
  const environment = Object.entries(options.environment ?? {}).map(([name, value]) => `${name}=${value}`);
  const log = native.openToAppend(options.log, 0o600);
  try {
    const nothing = native.openNothing();
    try {
      return native.spawn([program, ...args], environment, "/", [nothing, log, log], true, (status) => options.onExit?.(status));
    } finally {
      native.close(nothing);
    }
  } finally {
    native.close(log);
  }
}

async function converse(program: string, args: readonly string[]): Promise<Conversation> {
  const child = startChild(program, args, "/", false);
  return {
    pid: child.pid,
    output: child.stdout.chunks(),
    write: async (bytes) => await child.stdin.write(bytes),
    end: () => {
      child.stdin.close();
    },
    close: async () => {
      child.kill();
      child.stdin.close();
      child.stdout.close();
      await child.ended;
    },
  };
}

async function find(program: string): Promise<string | undefined> {
  const directories = (native.variable("PATH") ?? "").split(":").filter((directory) => directory !== "");
  const candidates = program.startsWith("/") ? [program] : directories.map((directory) => `${directory}/${program}`);
  return candidates.find((candidate) => native.isExecutable(candidate));
}

export const quickjsProcesses: Processes = {
  pid: native.pid(),
  run,
  detach: async (program, args, options) => await translated(async () => await detach(program, args, options)),
  converse: async (program, args) => await translated(async () => await converse(program, args)),
  find,
  kill(pid, signal) {
    try {
      return native.kill(pid, signal);
    } catch (error) {
      throw hostError(error);
    }
  },
};
