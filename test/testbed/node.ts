import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { endOfOutput, Running } from "./running.ts";

export interface RunOptions {
  /** Given to standard input; nothing by default. */
  readonly input?: string | Uint8Array;
  /** Milliseconds after which the program is killed and the call rejects. Default 10 000. */
  readonly limit?: number;
  /** Kills the program; the call rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Default `/`. */
  readonly directory?: string;
  /** Added to PATH, HOME and LANG; nothing else is inherited. */
  readonly environment?: Readonly<Record<string, string>>;
}

export interface RunResult {
  /** The exit status; 128 + the signal's number if a signal ended it; 127 if there is no such program. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Bytes and packets of a device as its own node counts them. */
export interface DeviceCounters {
  readonly rxBytes: number;
  readonly rxPackets: number;
  readonly txBytes: number;
  readonly txPackets: number;
}

export interface NodeFile {
  readonly path: string;
  readonly text: string | Uint8Array;
  /** Permission bits; undefined for a file that exists and can't be replaced, in /proc/sys for instance. */
  readonly mode: number | undefined;
}

const environment = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", HOME: "/root", LANG: "C.UTF-8" };

/** One machine of the emulated network. */
export class TestNode {
  readonly name: string;
  /** The PID, seen from outside, of the process that holds the node's namespaces. */
  readonly pid: number;
  readonly #enter: string;

  constructor(name: string, pid: number, enter: string) {
    this.name = name;
    this.pid = pid;
    this.#enter = enter;
  }

  /** Runs a program to its end. Its processes see the node's own PIDs. Any status resolves. */
  run(program: string, args: readonly string[] = [], options: RunOptions = {}): Promise<RunResult> {
    return this.#finish(["run", String(this.pid), options.directory ?? "/", program, ...args], `${program} ${args.join(" ")}`, options);
  }

  /** Runs a program that must succeed, and answers its standard output. Rejects with its standard error on any status but 0. */
  async must(program: string, args: readonly string[] = [], options: RunOptions = {}): Promise<string> {
    const { status, stdout, stderr } = await this.run(program, args, options);
    if (status !== 0)
      throw new Error(`${this.name}: ${program} ${args.join(" ")}: status ${String(status)}: ${stderr.trim() || stdout.trim()}`);
    return stdout;
  }

  /** Starts a program and does not wait for it. */
  start(program: string, args: readonly string[] = [], options: Pick<RunOptions, "directory" | "environment"> = {}): Running {
    const words = ["run", String(this.pid), options.directory ?? "/", program, ...args];
    return new Running(`${this.name}: ${program}`, this.#spawn(words, options.environment));
  }

  /** Writes a file, making its directories. */
  async write(path: string, text: string | Uint8Array, mode = 0o644): Promise<void> {
    await this.writeAll([{ path, text, mode }]);
  }

  /** Writes several files by one process. */
  async writeAll(files: readonly NodeFile[]): Promise<void> {
    const parts = files.flatMap(({ path, text, mode }) => {
      const bytes = Buffer.from(text);
      return [Buffer.from(`${mode === undefined ? "-" : mode.toString(8)} ${String(bytes.length)} ${path}\n`), bytes];
    });
    await this.#own(["write", String(this.pid)], { input: Buffer.concat(parts) });
  }

  /** A file's text. Rejects if there is none. */
  read(path: string): Promise<string> {
    return this.must("cat", ["--", path]);
  }

  /** Sets sysctls: `{ "net.ipv4.ip_forward": 1 }`. */
  async sysctl(values: Readonly<Record<string, string | number>>): Promise<void> {
    await this.writeAll(
      Object.entries(values).map(([name, value]) => ({
        path: `/proc/sys/${name.replaceAll(".", "/")}`,
        text: String(value),
        mode: undefined,
      })),
    );
  }

  /** Runs lines of `ip -batch`; the first that fails ends it, and the call rejects with its text. */
  async ip(lines: readonly string[]): Promise<void> {
    await this.must("ip", ["-batch", "-"], { input: lines.join("\n") });
  }

  /** Runs lines of `ip -batch` in the node's network namespace, but with PIDs as seen from outside (`netns PID`). */
  async ipOutside(lines: readonly string[]): Promise<void> {
    await this.#own(["net", String(this.pid), "ip", "-batch", "-"], { input: lines.join("\n") });
  }

  /** Switches the devices' segmentation, merging and checksum offload off, so that frames on them are those of a wire. */
  async makePlain(devices: readonly string[]): Promise<void> {
    await this.#own(["plain", String(this.pid), ...devices], {});
  }

  /** Counters of a device. Rejects if the node has no such device. Starts no program: cheap enough to be asked often. */
  async counters(device: string): Promise<DeviceCounters> {
    const line = (await readFile(`/proc/${String(this.pid)}/net/dev`, "utf8"))
      .split("\n")
      .find((text) => text.trim().startsWith(`${device}:`));
    if (line === undefined) throw new Error(`${this.name} has no device ${device}`);
    const [rxBytes = 0, rxPackets = 0, , , , , , , txBytes = 0, txPackets = 0] = line
      .slice(line.indexOf(":") + 1)
      .trim()
      .split(/\s+/)
      .map(Number);
    return { rxBytes, rxPackets, txBytes, txPackets };
  }

  async #own(words: readonly string[], options: RunOptions): Promise<void> {
    const { status, stderr, stdout } = await this.#finish(words, `enter ${words.join(" ")}`, options);
    if (status !== 0) throw new Error(`${this.name}: ${stderr.trim() || stdout.trim() || `status ${String(status)}`}`);
  }

  #spawn(words: readonly string[], extra: Readonly<Record<string, string>> = {}): ChildProcessWithoutNullStreams {
    return spawn(this.#enter, words, { stdio: "pipe", env: { ...environment, ...extra } });
  }

  #finish(words: readonly string[], title: string, options: RunOptions): Promise<RunResult> {
    const { signal, limit = 10_000 } = options;
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const child = this.#spawn(words, options.environment);
      let stdout = "";
      let stderr = "";
      let broken: Error | undefined;
      const stop = (why: unknown): void => {
        broken ??= why instanceof Error ? why : new Error(`${this.name}: ${title}: aborted`, { cause: why });
        child.kill("SIGPWR");
      };
      const onAbort = (): void => stop(signal?.reason);
      const timer = setTimeout(() => stop(new Error(`${this.name}: ${title}: not done after ${String(limit)} ms\n${stderr}`)), limit);
      signal?.addEventListener("abort", onAbort, { once: true });
      const settle = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", onAbort);
      };
      child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
      child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
      // A program may end without reading all of its input.
      child.stdin.on("error", () => undefined);
      child.stdin.end(options.input ?? "");
      child.once("error", (error) => {
        settle();
        reject(error);
      });
      child.once("exit", (status, by) => {
        void endOfOutput(child).then(() => {
          settle();
          if (broken !== undefined) reject(broken);
          else resolve({ status: status ?? (by === "SIGKILL" ? 137 : 128), stdout, stderr });
        });
      });
    });
  }
}
