import { RUN_DIRECTORY } from "../plan/run-directory.ts";
import type { Host } from "../host/types.ts";
import { addUsage, formatUsage, mergeUsage, noUsage, onTheLine, parseUsage, type Usage } from "./usage.ts";

/** Memory, for the next daemon. */
const NEAR = `${RUN_DIRECTORY}/usage`;
/** Flash, for the next start of the machine: written seldom. */
const FAR = "/etc/binder/usage";
const NEAR_EVERY = 10_000;
const FAR_EVERY = 3_600_000;

/** Counters of a lane's device since it was made, both ways together. */
export interface Carried {
  readonly bytes: number;
  readonly packets: number;
}

/** Counts what each gateway carries in a month, across restarts of the daemon and of the machine: but for the last hour, if its power is cut. */
export class UsageMeter {
  readonly #host: Host;
  readonly #last = new Map<string, Carried>();
  #usage: Usage = noUsage;
  #nearAt = Number.NEGATIVE_INFINITY;
  #farAt: number;
  #changed = false;

  constructor(host: Host) {
    this.#host = host;
    this.#farAt = host.clock.monotonic();
  }

  /** Takes up what was counted before. A record that can't be read counts as none. */
  async open(): Promise<void> {
    const near = await this.#read(NEAR);
    this.#usage = mergeUsage(near, await this.#read(FAR));
    this.#changed = near !== noUsage;
  }

  /** Bytes that the gateway of this name has carried this month. */
  used(name: string): number {
    return this.#usage.bytes.get(name) ?? 0;
  }

  /** Takes the counters of now, by gateway's name. A gateway's first counters are the mark to count from: the former daemon counted to there. */
  count(carried: ReadonlyMap<string, Carried>): void {
    const more = new Map<string, number>();
    for (const [name, now] of carried) {
      const last = this.#last.get(name);
      this.#last.set(name, now);
      // Counters that fell belong to another device.
      if (last === undefined || now.bytes < last.bytes || now.packets < last.packets) continue;
      more.set(name, onTheLine(now.bytes - last.bytes, now.packets - last.packets));
    }
    const before = this.#usage;
    this.#usage = addUsage(before, this.#host.clock.wall(), more);
    this.#changed ||= [...more.values()].some((bytes) => bytes > 0);
  }

  /** Writes what has to be written by now. Rejects with HostError. */
  async save(): Promise<void> {
    const now = this.#host.clock.monotonic();
    if (!this.#changed) return;
    if (now - this.#nearAt >= NEAR_EVERY) {
      this.#nearAt = now;
      await this.#write(NEAR);
    }
    if (now - this.#farAt >= FAR_EVERY) {
      this.#farAt = now;
      await this.#write(FAR);
      this.#changed = false;
    }
  }

  /** Writes everything, for a start that may be far away. Rejects with HostError. */
  async close(): Promise<void> {
    if (this.#changed) await this.#write(FAR);
    this.#changed = false;
    await this.#host.files.remove(NEAR);
  }

  async #read(path: string): Promise<Usage> {
    try {
      return parseUsage(new TextDecoder().decode(await this.#host.files.read(path)));
    } catch {
      return noUsage;
    }
  }

  async #write(path: string): Promise<void> {
    await this.#host.files.replace(path, new TextEncoder().encode(formatUsage(this.#usage)), 0o644);
  }
}
