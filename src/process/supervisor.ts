import type { Host } from "../host/types.ts";
import { backOff } from "./back-off.ts";
import { endProcess } from "./end.ts";
import { identify, isRunning, type ProcessIdentity } from "./identity.ts";
import { type ProcessSpecification, readRecord, removeRecord, writeRecord } from "./record.ts";
import { Wake } from "./wake.ts";

export type ProcessState =
  | { readonly kind: "idle" }
  | { readonly kind: "running"; readonly identity: ProcessIdentity; readonly since: number }
  | { readonly kind: "waiting"; readonly failures: number; readonly until: number; readonly lastStatus: number | undefined };

/** One that was adopted is looked at this often (milliseconds). */
const LOOK_EVERY = 1_000;
/** A child of ours tells its end at once; this is for the day that it does not. */
const LOOK_AT_CHILD = 30_000;
/** A process that has run this long was well: its next failure counts as the first. */
const WELL_AFTER = 30_000;
/** A log larger than this is begun anew (bytes): /run is memory. */
const LOG_LIMIT = 256 * 1024;

const LAST_LINES = 3;

export const LOG_DIRECTORY = "/run/binder/log";

export interface SupervisorOptions {
  /** Called after every start. */
  readonly onStart?: () => void;
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
    return `${LOG_DIRECTORY}/${this.name}.log`;
  }

  /** Says what should run; undefined: nothing. Takes effect in {@link supervise}. */
  want(specification: ProcessSpecification | undefined): void {
    if (JSON.stringify(specification) === JSON.stringify(this.#wanted)) return;
    this.#wanted = specification;
    this.#right = false;
    this.#failures = 0;
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
      return this.#child ? LOOK_AT_CHILD : LOOK_EVERY;
    }
    this.#right = false;
    const record = await readRecord(this.#host, this.name);
    const running = record !== undefined && (await isRunning(this.#host, record));
    const wanted = this.#wanted;
    if (running && wanted !== undefined && JSON.stringify(record.specification) === JSON.stringify(wanted)) {
      if (this.#state.kind !== "running" || this.#state.identity.pid !== record.pid) {
        this.#state = { kind: "running", identity: { pid: record.pid, startTime: record.startTime }, since: this.#host.clock.monotonic() };
        this.#child = false;
      }
      this.#right = true;
      return LOOK_EVERY;
    }
    if (running) {
      await endProcess(this.#host, record, signal);
      await removeRecord(this.#host, this.name);
      this.#state = { kind: "idle" };
      return 0;
    }
    if (wanted === undefined) {
      if (record !== undefined) await removeRecord(this.#host, this.name);
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

  async #start(wanted: ProcessSpecification, signal: AbortSignal): Promise<void> {
    await this.#host.files.makeDirectory(LOG_DIRECTORY, 0o700);
    if (((await this.#host.files.status(this.logPath))?.size ?? 0) > LOG_LIMIT) await this.#host.files.remove(this.logPath);
    const preparation = await this.#options.prepare?.(signal);
    const pid = await this.#host.processes.detach(wanted.program, [...wanted.args, ...(preparation?.args ?? [])], {
      log: this.logPath,
      ...(wanted.environment === undefined ? {} : { environment: wanted.environment }),
      onExit: () => {
        this.#wake.set();
      },
    });
    const identity = await identify(this.#host, pid);
    const since = this.#host.clock.monotonic();
    if (identity === undefined) throw new Error(`${wanted.program} ended at once; see ${this.logPath}`);
    await writeRecord(this.#host, this.name, { ...identity, specification: wanted });
    this.#state = { kind: "running", identity, since };
    this.#child = true;
    this.#options.onStart?.();
    await preparation?.finish(signal);
  }
}
