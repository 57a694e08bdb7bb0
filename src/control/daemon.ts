import { ConfigurationError } from "../config/configuration-error.ts";
import type { Host } from "../host/types.ts";
import type { Ownership } from "../kernel/state.ts";
import { type OnLink, watchKernel } from "../kernel/watch.ts";
import { aborted, endingWith, isAborted } from "../process/aborted.ts";
import type { Log } from "../process/log.ts";
import { Turn } from "../process/turn.ts";
import { Wake } from "../process/wake.ts";
import { MethodError, type Methods } from "./server.ts";
import type { HomeStatus, RelayStatus } from "./types.ts";

/** After something failed (ms). */
const RETRY = 1_000;

/** What came of making everything as it should be. */
export interface Reconciled {
  /** Sentences for the log and the status. */
  readonly failures: readonly string[];
  /** False while something is awaited that is no failure. */
  readonly ready: boolean;
}

/**
 * What is the same in every role's daemon: its methods, its life, and the loop that puts back what is not as it should be. `Loaded` is
 * what a role reads of its configuration. Run by runDaemon (run-daemon.ts).
 */
export abstract class Daemon<Loaded = unknown> {
  protected readonly host: Host;
  protected readonly log: Log;
  /** Fires when the daemon ends, and before that when the role is stopped for good. */
  protected readonly signal: AbortSignal;
  /** Wakes the loop that reconciles. */
  protected readonly changed = new Wake();
  /** Whatever nobody told of is looked at this often (ms). */
  protected abstract readonly sweep: number;
  readonly #end: AbortController;
  readonly #work: AbortController;
  readonly #reloads = new Turn();
  #failures: readonly string[] = [];
  #configError = "";
  /** All that supervises and puts back, from the start on. */
  #life: Promise<void> = Promise.resolve();

  constructor(host: Host, log: Log, end: AbortController) {
    this.host = host;
    this.log = log;
    this.#end = end;
    this.#work = endingWith(end.signal);
    this.signal = this.#work.signal;
  }

  /** Starts, and does all that the role does until the signal fires; {@link keepRight} is a part of that. */
  protected abstract live(): Promise<void>;

  /** Makes everything what it should be now. */
  protected abstract reconcile(): Promise<Reconciled>;

  /** Reads the configuration and changes nothing. Rejects with ConfigurationError if it is wrong. */
  protected abstract load(): Promise<Loaded>;

  /** Takes up what was read while the daemon runs. */
  protected abstract apply(loaded: Loaded): Promise<void>;

  /** Removes all that the role put on this machine; nothing of it runs any more. */
  protected abstract remove(signal: AbortSignal): Promise<void>;

  protected abstract status(): HomeStatus | RelayStatus;

  /** What failed when things were made right last. */
  protected get failures(): readonly string[] {
    return this.#failures;
  }

  /** That the configuration could not be read again; empty if it could. */
  protected get configWarnings(): readonly string[] {
    return this.#configError === "" ? [] : [`the configuration is wrong, the last good one is in use: ${this.#configError}`];
  }

  /** How soon to reconcile again (ms) what failed or is awaited. */
  protected get retry(): number {
    return RETRY;
  }

  methods(): Methods {
    return {
      status: async () => await Promise.resolve(this.status()),
      events: async () => await Promise.resolve(this.log.events),
      reload: async () => {
        await this.reload();
        return null;
      },
      stop: async () => {
        // Whoever would start a program or put a rule back must be gone first.
        this.#work.abort(new Error("stopped"));
        await this.#life;
        await this.remove(this.#end.signal);
        // The answer goes out first.
        setTimeout(() => {
          this.#end.abort(new Error("stopped"));
        }, 50);
        return null;
      },
    };
  }

  /** Runs until `end` fires. One that is stopped while it starts is no failure. */
  async run(): Promise<void> {
    this.#life = this.live().catch((error: unknown) => {
      if (!isAborted(this.signal)) throw error;
    });
    await this.#life;
    await aborted(this.#end.signal);
  }

  /** Reads the configuration again. A broken one changes nothing; it is told, shown in the status, and thrown as MethodError. */
  async reload(): Promise<void> {
    // An earlier reload that is not done yet could put its older configuration over this one's.
    await this.#reloads.take(async () => {
      await this.apply(await this.#reload());
      this.changed.set();
    });
  }

  async #reload(): Promise<Loaded> {
    try {
      const loaded = await this.load();
      this.#configError = "";
      return loaded;
    } catch (error) {
      this.#configError = error instanceof Error ? error.message : String(error);
      this.log.write("error", `the configuration is wrong, the last good one stays: ${this.#configError}`);
      throw new MethodError(error instanceof ConfigurationError ? 3 : 1, this.#configError, { cause: error });
    }
  }

  /** Reconciles once, and tells the log what is new. Answers whether all is done, but for failures met before. */
  protected async makeRight(): Promise<boolean> {
    const { failures, ready } = await this.reconcile();
    const news = failures.filter((failure) => !this.#failures.includes(failure));
    for (const failure of news) this.log.write("warning", failure);
    this.#failures = failures;
    // What failed twice in the same way will not be well a second later.
    return ready && news.length === 0;
  }

  /** Reconciles whenever {@link changed} is set or the kernel tells of a change, and at each sweep, until the signal fires. */
  protected async keepRight(ownership: Ownership, onLink?: OnLink): Promise<void> {
    const onChange = (): void => {
      this.changed.set();
    };
    await Promise.all([this.#makeRightAgain(), watchKernel(this.host, ownership, this.signal, onChange, onLink)]);
  }

  async #makeRightAgain(): Promise<void> {
    while (!this.signal.aborted) {
      let well = false;
      try {
        well = await this.makeRight();
      } catch (error) {
        if (isAborted(this.signal)) return;
        this.log.write("error", error instanceof Error ? error.message : String(error));
      }
      await this.changed.wait(well ? this.sweep : this.retry, this.signal);
    }
  }
}
