import { compiled } from "./compile.ts";
import type { TestNode } from "./node.ts";
import type { Running } from "./running.ts";
import type { Line, LineCounters, TwoWayLine } from "./types.ts";

const LIMIT = 5000;

/** Bytes that may wait by default: enough for TCP to fill the line, as little as that needs. */
function defaultQueue(rate: number): number {
  return Math.max(60_000, (rate / 8) * 0.1);
}

/** The emulator's words for a direction. Throws RangeError for numbers out of range. */
export function lineWords(line: Line): string {
  const range = (what: string, value: number, most: number): number => {
    if (!(value >= 0 && value <= most)) throw new RangeError(`${what} is ${String(value)}; it must be 0 to ${String(most)}`);
    return value;
  };
  const { rate = Infinity, queue } = line;
  if (!(rate > 0)) throw new RangeError(`rate is ${String(rate)}; it must be more than 0 (\`block\` stops a line)`);
  const limited = Number.isFinite(rate) ? range("rate", rate, 1e11) : 0;
  const bytes = queue === undefined ? defaultQueue(limited) : typeof queue === "number" ? queue : (limited / 8000) * queue.ms;
  const values = {
    rate: limited,
    queue: Math.round(range("queue", bytes, 1e9)),
    delay: Math.round(range("delay", line.delay ?? 0, 60_000) * 1e6),
    jitter: Math.round(range("jitter", line.jitter ?? 0, 60_000) * 1e6),
    reorder: Number(line.reorder ?? false),
    loss: range("loss", line.loss ?? 0, 1),
    mtu: Math.round(range("mtu", line.mtu ?? 0, 65_535)),
    fragments: Number(line.dropFragments ?? false),
    block: Number(line.block ?? false),
  };
  return Object.entries(values)
    .map(([key, value]) => `${key}=${String(value)}`)
    .join(" ");
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** The process that emulates all lines of a testbed: see links.c. */
export class Emulator {
  readonly #process: Running;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(process: Running) {
    this.#process = process;
  }

  static async start(wire: TestNode, seed: number, pairs: readonly string[]): Promise<Emulator> {
    const process = wire.start(await compiled("links"), [String(seed), ...pairs]);
    await process.line(/^ready$/, LIMIT);
    return new Emulator(process);
  }

  /** Gives a command and answers what it says. One at a time: answers carry no name. */
  command(words: string): Promise<string> {
    const answer = this.#turn.then(async () => {
      const from = this.#process.lines.length;
      this.#process.write(`${words}\n`);
      const [line] = await this.#process.line(/.*/, LIMIT, from);
      this.#process.lines.length = 0;
      if (line.startsWith("error")) throw new Error(`link emulator: ${words}: ${line}`);
      return line;
    });
    this.#turn = answer.catch(() => undefined);
    return answer;
  }

  /** The processor time it used so far, in seconds. */
  async cpu(): Promise<number> {
    return Number(await this.command("cpu"));
  }
}

/** The emulated line of one gateway. */
export class Link {
  readonly #emulator: Emulator;
  readonly #index: number;
  #up: Line = {};
  #down: Line = {};

  constructor(emulator: Emulator, index: number) {
    this.#emulator = emulator;
    this.#index = index;
  }

  /** Changes what is named, in both directions or one, at once; the rest stays. A default queue follows the rate. RangeError changes nothing. */
  async set({ up, down, ...both }: TwoWayLine): Promise<void> {
    const nextUp = { ...this.#up, ...both, ...up };
    const nextDown = { ...this.#down, ...both, ...down };
    const words = [`up ${lineWords(nextUp)}`, `down ${lineWords(nextDown)}`];
    this.#up = nextUp;
    this.#down = nextDown;
    await Promise.all(words.map((text) => this.#emulator.command(`set ${String(this.#index)} ${text}`)));
  }

  /** Drops everything in both directions from now on. */
  cut(): Promise<void> {
    return this.set({ block: true });
  }

  mend(): Promise<void> {
    return this.set({ block: false });
  }

  async counters(): Promise<{ readonly up: LineCounters; readonly down: LineCounters }> {
    const all: unknown = JSON.parse(await this.#emulator.command("get"));
    const mine: unknown = Array.isArray(all) ? all[this.#index] : undefined;
    if (!isRecord(mine) || !isCounters(mine["up"]) || !isCounters(mine["down"]))
      throw new Error("the link emulator's counters are not as expected");
    return { up: mine["up"], down: mine["down"] };
  }
}

function isCounters(value: unknown): value is LineCounters {
  return isRecord(value) && typeof value["bytes"] === "number" && isRecord(value["drops"]);
}
