import type { ChildProcessWithoutNullStreams } from "node:child_process";

export type Signal = "SIGTERM" | "SIGINT" | "SIGHUP" | "SIGKILL" | "SIGUSR1" | "SIGUSR2";

/** A program that runs in a node. It ends with the testbed at the latest. */
export class Running {
  /** Lines of its standard output so far, without their ends. */
  readonly lines: string[] = [];
  /** Resolves with its status at its end: 128 + the signal's number if a signal ended it. */
  readonly exit: Promise<number>;
  /** What it wrote to its standard error so far. */
  stderr = "";
  readonly #title: string;
  readonly #child: ChildProcessWithoutNullStreams;
  #ended = false;
  #rest = "";
  readonly #onChange = new Set<() => void>();

  constructor(title: string, child: ChildProcessWithoutNullStreams) {
    this.#title = title;
    this.#child = child;
    child.stdout.setEncoding("utf8").on("data", (text: string) => this.#take(text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (this.stderr += text));
    child.stdin.on("error", () => undefined);
    this.exit = new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", (status) => {
        void endOfOutput(child).then(() => {
          if (this.#rest !== "") this.#take("\n");
          this.#ended = true;
          this.#changed();
          resolve(status ?? 137);
        });
      });
    });
    this.exit.catch(() => undefined);
  }

  /** The PID, seen from outside, of the process that stands for it there. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Sends it a signal; nothing happens if it has ended. */
  kill(signal: Signal = "SIGTERM"): void {
    if (!this.#ended) this.#child.kill(signal === "SIGKILL" ? "SIGPWR" : signal);
  }

  /** Kills it and waits for its end. */
  async end(): Promise<void> {
    this.kill("SIGKILL");
    await this.exit;
  }

  write(text: string): void {
    this.#child.stdin.write(text);
  }

  closeInput(): void {
    this.#child.stdin.end();
  }

  /**
   * Waits for a line of output that matches, from line number `from` on (default 0: from the first), and answers its match.
   * Rejects if the program ends first or after `limit` milliseconds.
   */
  async line(pattern: RegExp, limit = 10_000, from = 0): Promise<RegExpExecArray> {
    const deadline = Date.now() + limit;
    for (let next = from; ; ) {
      for (; next < this.lines.length; next++) {
        const match = pattern.exec(this.lines[next] ?? "");
        if (match !== null) return match;
      }
      const left = deadline - Date.now();
      if (this.#ended || left <= 0) {
        const why = this.#ended ? "it ended" : `${String(limit)} ms passed`;
        const said = `${this.lines.slice(-5).join("\n")}\n${this.stderr.slice(-2000)}`.trim();
        throw new Error(`${this.#title}: ${why} without a line that matches ${String(pattern)}; it said:\n${said}`);
      }
      await this.#change(left);
    }
  }

  #take(text: string): void {
    const parts = (this.#rest + text).split("\n");
    this.#rest = parts.pop() ?? "";
    this.lines.push(...parts);
    this.#changed();
  }

  #changed(): void {
    for (const tell of [...this.#onChange]) tell();
  }

  #change(limit: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#onChange.delete(done);
        resolve();
      };
      const timer = setTimeout(done, limit);
      this.#onChange.add(done);
    });
  }
}

/** Waits until both outputs have ended; not for long, as a daemon that the program left may hold them for ever. */
export function endOfOutput(child: ChildProcessWithoutNullStreams, limit = 500): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      child.stdout.destroy();
      child.stderr.destroy();
      resolve();
    }, limit);
    child.once("close", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
