import { spawn } from "node:child_process";
import { constants as fsConstants } from "node:fs";
import { access, open } from "node:fs/promises";
import { constants } from "node:os";
import { type Conversation, type DetachedOptions, HostError, type Processes, type RunOptions, type RunResult } from "../types.ts";
import { hasCode, hostError, translated } from "../errors.ts";
import { chunksOf, writeTo } from "./streams.ts";

const DEFAULT_LIMIT = 10_000;
/** Debian's `su` and cron leave the sbin directories out of PATH, where most of what Binder runs is. */
const PATH = [...new Set([...(process.env["PATH"] ?? "").split(":"), "/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin"])]
  .filter((directory) => directory !== "")
  .join(":");
const environment = { ...process.env, PATH, LC_ALL: "C" };

function statusOf(code: number | null, signal: NodeJS.Signals | null): number {
  return code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
}

async function run(program: string, args: readonly string[], signal: AbortSignal, options: RunOptions = {}): Promise<RunResult> {
  signal.throwIfAborted();
  return await new Promise<RunResult>((resolve, reject) => {
    const limit = options.limit ?? DEFAULT_LIMIT;
    const child = spawn(program, args, { cwd: options.directory ?? "/", env: environment, stdio: ["pipe", "pipe", "pipe"] });
    const stdout: Uint8Array[] = [];
    const stderr: Uint8Array[] = [];
    let expired = false;
    const stop = (): void => {
      child.kill("SIGKILL");
      // Whatever else holds its pipes: nobody waits for that.
      for (const pipe of child.stdio) pipe?.destroy();
    };
    const timer = setTimeout(() => {
      expired = true;
      stop();
    }, limit);
    const onAbort = stop;
    signal.addEventListener("abort", onAbort, { once: true });
    const settle = (action: () => void): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      action();
    };
    child.stdout.on("data", (chunk: Uint8Array) => stdout.push(chunk));
    child.stderr.on("data", (chunk: Uint8Array) => stderr.push(chunk));
    // A program that ends before it has read all its input is judged by its status.
    child.stdin.on("error", () => undefined);
    child.stdin.end(options.input);
    child.on("error", (error) => {
      settle(() => {
        reject(hostError(error));
      });
    });
    child.on("close", (code, killedBy) => {
      settle(() => {
        if (signal.aborted) reject(signal.reason);
        else if (expired) reject(new HostError("ETIMEDOUT", `${program} did not end within ${limit} ms`));
        else
          resolve({
            status: statusOf(code, killedBy),
            stdout: new Uint8Array(Buffer.concat(stdout)),
            stderr: new Uint8Array(Buffer.concat(stderr)),
          });
      });
    });
  });
}

async function detach(program: string, args: readonly string[], options: DetachedOptions): Promise<number> {
  const log = await translated(async () => await open(options.log, "a", 0o600));
  try {
    return await new Promise<number>((resolve, reject) => {
      const child = spawn(program, args, {
        cwd: "/",
        detached: true,
        env: { ...environment, ...options.environment },
        stdio: ["ignore", log.fd, log.fd],
      });
      child.on("error", (error) => {
        reject(hostError(error));
      });
      child.on("spawn", () => {
        child.unref();
        if (child.pid !== undefined) resolve(child.pid);
      });
      child.on("exit", (code, signal) => options.onExit?.(statusOf(code, signal)));
    });
  } finally {
    await log.close();
  }
}

async function converse(program: string, args: readonly string[]): Promise<Conversation> {
  return await new Promise<Conversation>((resolve, reject) => {
    const child = spawn(program, args, { cwd: "/", env: environment, stdio: ["pipe", "pipe", "ignore"] });
    const ended = new Promise<void>((done) => {
      child.on("close", () => {
        done();
      });
    });
    let closed = false;
    child.stdin.on("error", () => undefined);
    child.stdout.on("error", () => undefined);
    child.on("error", (error) => {
      reject(hostError(error));
    });
    child.on("spawn", () => {
      const pid = child.pid;
      if (pid === undefined) return;
      resolve({
        pid,
        output: chunksOf(child.stdout, () => closed),
        write: async (bytes) => await writeTo(child.stdin, bytes),
        end: () => {
          child.stdin.end();
        },
        close: async () => {
          closed = true;
          child.kill("SIGKILL");
          child.stdin.destroy();
          child.stdout.destroy();
          await ended;
        },
      });
    });
  });
}

async function find(program: string): Promise<string | undefined> {
  const candidates = program.startsWith("/") ? [program] : PATH.split(":").map((directory) => `${directory}/${program}`);
  for (const candidate of candidates) {
    try {
      await access(candidate, fsConstants.X_OK);
      return candidate;
    } catch {
      // Not here; the next directory may have it.
    }
  }
  return undefined;
}

export const nodeProcesses: Processes = {
  pid: process.pid,
  run,
  detach,
  converse,
  find,
  kill(pid, signal) {
    try {
      process.kill(pid, signal);
      return true;
    } catch (error) {
      if (hasCode(error, "ESRCH")) return false;
      throw hostError(error);
    }
  },
};
