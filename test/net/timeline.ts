import { compiled, type Running } from "../testbed/index.ts";
import { type Household, PORT, SERVER } from "./household.ts";

/** How much of a transfer had come after so long (ms from its connect). */
export interface Point {
  readonly at: number;
  readonly bytes: number;
}

const STEP = 10;

/** A transfer whose progress is written down every ten milliseconds. */
export class Timeline {
  readonly #running: Running;
  readonly #points: Point[] = [];
  #read = 0;
  #ended = false;

  private constructor(running: Running) {
    this.#running = running;
    void running.exit.then(() => (this.#ended = true));
  }

  /** Begins a download (`get`) or an upload (`put`) of so many seconds by a LAN host. */
  static async start(house: Household, kind: "get" | "put", seconds: number): Promise<Timeline> {
    const words = [kind, "--to", SERVER, "--port", String(PORT), "--seconds", String(seconds), "--interval", String(STEP)];
    const running = house.node("lan1").start(await compiled("flow"), words);
    await running.line(/"at"/);
    return new Timeline(running);
  }

  get points(): readonly Point[] {
    const { lines } = this.#running;
    for (; this.#read < lines.length; this.#read += 1) {
      const value = JSON.parse(lines[this.#read] ?? "{}") as { at?: number; bytes?: number };
      if (value.at !== undefined) this.#points.push({ at: value.at * 1000, bytes: value.bytes ?? 0 });
    }
    return this.#points;
  }

  /** The last moment written down, ms: that of what happens now, but for a step or two. */
  get now(): number {
    return this.points.at(-1)?.at ?? 0;
  }

  /** Waits until so many ms of the transfer have passed; answers the moment. Rejects if that takes ten seconds longer than it should. */
  async passed(at: number): Promise<number> {
    const deadline = performance.now() + at - this.now + 10_000;
    while (this.now < at) {
      if (performance.now() > deadline) throw new Error(`${String(at)} ms of the transfer have not passed`);
      await new Promise((resolve) => setTimeout(resolve, STEP));
    }
    return this.now;
  }

  /** Whether its time is up. */
  get ended(): boolean {
    return this.#ended;
  }

  /** As {@link result}, of a download whose time is up now. */
  async enough(): ReturnType<Timeline["result"]> {
    this.#running.kill("SIGINT");
    return await this.result();
  }

  /** Waits for the transfer's end; answers its content and how it ended. */
  async result(): Promise<{ readonly content: string; readonly end: string; readonly bps: number }> {
    await this.#running.exit;
    return JSON.parse(this.#running.lines.at(-1) ?? "{}") as { content: string; end: string; bps: number };
  }
}

/** The longest time (ms) without a byte between two moments (ms). */
export function longestStall(points: readonly Point[], from: number, to: number): number {
  let longest = 0;
  let last = points.find(({ at }) => at >= from);
  for (const point of points) {
    if (last === undefined || point.at < from || point.at > to) continue;
    if (point.bytes > last.bytes) {
      longest = Math.max(longest, point.at - last.at - STEP);
      last = point;
    }
  }
  return Math.max(longest, to - (last?.at ?? to) - STEP);
}

/** Bits per second between two moments (ms). */
export function rateBetween(points: readonly Point[], from: number, to: number): number {
  const first = points.find(({ at }) => at >= from);
  const last = points.findLast(({ at }) => at <= to);
  if (first === undefined || last === undefined || last.at <= first.at) return 0;
  return ((last.bytes - first.bytes) * 8000) / (last.at - first.at);
}

/** A rate (bit/s) is taken over so many ms: shorter, and it would be that of one burst. */
export const WINDOW = 500;

/** Rates (bit/s) over half a second each between two moments (ms), one every hundred ms. */
export function ratesBetween(points: readonly Point[], from: number, to: number): readonly number[] {
  const rates: number[] = [];
  for (let at = from; at + WINDOW <= to; at += 100) rates.push(rateBetween(points, at, at + WINDOW));
  return rates;
}

/** How long (ms) after `from` the rate is back: nine tenths of `full` (bit/s) over half a second. Infinity if it never is. */
export function backAfter(points: readonly Point[], from: number, full: number): number {
  const end = points.at(-1)?.at ?? 0;
  const found = points.find(({ at }) => at >= from && at + WINDOW <= end && rateBetween(points, at, at + WINDOW) >= 0.9 * full);
  return found === undefined ? Number.POSITIVE_INFINITY : found.at - from;
}
