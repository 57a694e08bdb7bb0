import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { compiled, projectRoot } from "./compile.ts";
import { TestNode } from "./node.ts";

const LIMIT = 10_000;

/** The anchor of one testbed: see keeper.c. */
export class Keeper {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #enter: string;
  readonly #ended: Promise<void>;
  readonly #waiting = new Map<string, (answer: string) => void>();
  #stderr = "";

  private constructor(child: ChildProcessWithoutNullStreams, enter: string) {
    this.#child = child;
    this.#enter = enter;
    let rest = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (this.#stderr += text));
    child.stdin.on("error", () => undefined);
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const name = line.slice(0, line.indexOf(" "));
        this.#waiting.get(name)?.(line.slice(name.length + 1));
        this.#waiting.delete(name);
      }
    });
    this.#ended = new Promise((resolve) => {
      child.once("exit", () => {
        for (const answer of this.#waiting.values()) answer(`error: the keeper ended: ${this.#stderr.trim()}`);
        resolve();
      });
    });
  }

  static async start(): Promise<Keeper> {
    const [keeper, enter] = await Promise.all([compiled("keeper"), compiled("enter")]);
    // In a session of its own, so that the terminal's Ctrl-C leaves it to the caller to end things in order.
    const child = spawn(keeper, [projectRoot], { stdio: "pipe", detached: true });
    await new Promise((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", reject);
    });
    return new Keeper(child, enter);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Makes a node. Rejects with what the system refused; being root is what it mostly lacks. */
  async node(name: string): Promise<TestNode> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const answer = await new Promise<string>((resolve) => {
      this.#waiting.set(name, resolve);
      timer = setTimeout(() => resolve(`error: no answer in ${String(LIMIT)} ms: ${this.#stderr}`), LIMIT);
      if (this.#child.exitCode !== null) resolve(`error: the keeper ended: ${this.#stderr.trim()}`);
      this.#child.stdin.write(`${name}\n`);
    });
    clearTimeout(timer);
    this.#waiting.delete(name);
    if (!/^\d+$/.test(answer)) throw new Error(`cannot make node ${name}: ${answer} (a testbed needs root)`);
    return new TestNode(name, Number(answer), this.#enter);
  }

  /** Ends everything in the testbed; resolves when the last process is gone. */
  async close(): Promise<void> {
    this.#child.stdin.end();
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), LIMIT);
    await this.#ended;
    clearTimeout(timer);
  }
}
