import type { Host } from "../host/types.ts";
import { backOff } from "./back-off.ts";
import { endProcess } from "./end.ts";
import { isRunning, type ProcessIdentity } from "./identity.ts";
import { type ProcessRecord, type ProcessSpecification, readRecord, removeRecord } from "./record.ts";
import { isWritten, logPathOf, startProgram } from "./start.ts";
import { Wake } from "./wake.ts";

export type ProcessState =
  | { readonly kind: "idle" }
  /** `since` is when this daemon started it, or met it (adopted). */
  | { readonly kind: "running"; readonly identity: ProcessIdentity; readonly since: number; readonly adopted: boolean }
  | { readonly kind: "waiting"; readonly failures: number; readonly until: number; readonly lastStatus: number | undefined };

/** One that was adopted is looked at this often (milliseconds), unless its options say otherwise. */
const LOOK_EVERY = 1_000;
/** After {@link Supervisor.look} it is looked at so many times, this often (ms): what it had open closes before it has ended. */
const LOOKS = 10;
const LOOK_CLOSELY = 50;
/** A child of ours tells its end at once; this is for the day that it does not. */
const LOOK_AT_CHILD = 30_000;
/** A process that has run this long was well: its next failure counts as the first. */
const WELL_AFTER = 30_000;
const LAST_LINES = 3;

export interface SupervisorOptions {
  /** Called after every start. */
  readonly onStart?: () => void;
  /** How often one that was adopted is looked at, ms: its end is told to nobody. */
  readonly lookEvery?: number;
  /** Awaited before every start. If it rejects, the start has failed. */
  readonly prepare?: (signal: AbortSignal) => Promise<Preparation>;
}

export interface Preparation {
  /** Arguments that this start has besides. */
  readonly args: readonly string[];
  /** Awaited once the program runs. */
  readonly finish: (signal: AbortSignal) => Promise<void>;
}

/**
 * Keeps one program running in a session of its own. It is adopted if a former daemon left it running with the same specification,
 * restarted with back-off when it ends, and left alone when the daemon goes.
 */
export class Supervisor {
  readonly name: string;
  #state: ProcessState = { kind: "idle" };
  readonly #host: Host;
  #wanted: ProcessSpecification | undefined;
  /** What runs was started by this daemon. */
  #child = false;
  /** What runs is known to be what is wanted. */
  #right = false;
  #failures = 0;
  #lastWords: readonly string[] = [];
  /** What runs, while its record could not be written. */
  #unrecorded: ProcessRecord | undefined;
  #looks = 0;
  readonly #wake = new Wake();

  readonly #options: SupervisorOptions;

  /** `name` names the record and the log. */
  constructor(host: Host, name: string, options: SupervisorOptions = {}) {
    this.#host = host;
    this.name = name;
    this.#options = options;
  }

  get state(): ProcessState {
    return this.#state;
  }

  /** The last lines that the program wrote before it ended; empty while it runs. */
  get lastWords(): readonly string[] {
    return this.#state.kind === "running" ? [] : this.#lastWords;
  }

  get logPath(): string {
    return logPathOf(this.name);
  }

  /** Says what should run; undefined: nothing. Takes effect in {@link supervise}. */
  want(specification: ProcessSpecification | undefined): void {
    if (JSON.stringify(specification) === JSON.stringify(this.#wanted)) return;
    this.#wanted = specification;
    this.#right = false;
    this.#failures = 0;
    this.#wake.set();
  }

  /** It seems to have ended: it is looked at now. */
  look(): void {
    this.#looks = LOOKS;
    this.#wake.set();
  }

  /** Supervises until the signal fires; the program then goes on without us. */
  async supervise(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const pause = await this.#step(signal);
      await this.#wake.wait(pause, signal);
    }
  }

  /** One look and at most one change; answers how many milliseconds until the next look is due. */
  async #step(signal: AbortSignal): Promise<number> {
    if (this.#right && this.#state.kind === "running" && (await isRunning(this.#host, this.#state.identity))) {
      if (this.#unrecorded !== undefined && (await isWritten(this.#host, this.name, this.#unrecorded))) this.#unrecorded = undefined;
      if (this.#looks > 0) {
        this.#looks -= 1;
        return LOOK_CLOSELY;
      }
      return this.#child && this.#unrecorded === undefined ? LOOK_AT_CHILD : this.#lookEvery;
    }
    this.#right = false;
    const record = this.#unrecorded ?? (await readRecord(this.#host, this.name));
    const running = record !== undefined && (await isRunning(this.#host, record));
    const wanted = this.#wanted;
    if (running && wanted !== undefined && JSON.stringify(record.specification) === JSON.stringify(wanted)) {
      if (this.#state.kind !== "running" || this.#state.identity.pid !== record.pid) {
        const identity = { pid: record.pid, startTime: record.startTime };
        this.#state = { kind: "running", identity, since: this.#host.clock.monotonic(), adopted: true };
        this.#child = false;
      }
      this.#right = true;
      return this.#lookEvery;
    }
    if (running) {
      await endProcess(this.#host, record, signal);
      await this.#forget();
      this.#state = { kind: "idle" };
      return 0;
    }
    if (wanted === undefined) {
      if (record !== undefined) await this.#forget();
      this.#state = { kind: "idle" };
      return LOOK_EVERY;
    }
    return await this.#restart(wanted, signal);
  }

  async #restart(wanted: ProcessSpecification, signal: AbortSignal): Promise<number> {
    const now = this.#host.clock.monotonic();
    if (this.#state.kind === "running") {
      this.#failures = now - this.#state.since >= WELL_AFTER ? 1 : this.#failures + 1;
      this.#state = this.#waiting(now, undefined);
      this.#lastWords = await this.#readLastWords();
    }
    if (this.#state.kind === "waiting" && now < this.#state.until) return this.#state.until - now;
    try {
      await this.#start(wanted, signal);
      this.#right = wanted === this.#wanted;
      return this.#right ? LOOK_AT_CHILD : 0;
    } catch {
      // Its log and the state say so; the program may be installed meanwhile.
      this.#failures += 1;
      const waiting = this.#waiting(now, 127);
      this.#state = waiting;
      return waiting.until - now;
    }
  }

  async #readLastWords(): Promise<readonly string[]> {
    try {
      const text = new TextDecoder().decode(await this.#host.files.read(this.logPath));
      return text
        .trimEnd()
        .split("\n")
        .slice(-LAST_LINES)
        .map((line) => line.slice(0, 300));
    } catch {
      return [];
    }
  }

  #waiting(now: number, lastStatus: number | undefined): Extract<ProcessState, { kind: "waiting" }> {
    const random = (this.#host.random(1)[0] ?? 0) / 255;
    return { kind: "waiting", failures: this.#failures, until: now + backOff(this.#failures, random), lastStatus };
  }

  get #lookEvery(): number {
    return this.#options.lookEvery ?? LOOK_EVERY;
  }

  async #forget(): Promise<void> {
    this.#unrecorded = undefined;
    await removeRecord(this.#host, this.name);
  }

  async #start(wanted: ProcessSpecification, signal: AbortSignal): Promise<void> {
    this.#unrecorded = undefined;
    const preparation = await this.#options.prepare?.(signal);
    const { record, recorded } = await startProgram(this.#host, this.name, wanted, preparation?.args, () => {
      this.#wake.set();
    });
    if (!recorded) this.#unrecorded = record;
    const { pid, startTime } = record;
    this.#state = { kind: "running", identity: { pid, startTime }, since: this.#host.clock.monotonic(), adopted: false };
    this.#child = true;
    this.#options.onStart?.();
    await preparation?.finish(signal);
  }
}
