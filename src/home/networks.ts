import { RUN_DIRECTORY } from "../plan/run-directory.ts";
import type { Host } from "../host/types.ts";
import { watchNetworks } from "../netifd/watch.ts";
import { endingWith } from "../process/aborted.ts";
import { keepFile } from "../process/keep-file.ts";
import { Wake } from "../process/wake.ts";
import { hasUbus, ubusOf } from "./ubus.ts";
import { formatWays, type KnownNetworks, learnNetworks, parseWays } from "./ways.ts";

/** What is known, for the next daemon: it adopts lanes before netifd has answered. */
const KNOWN = `${RUN_DIRECTORY}/networks`;
/** Nobody tells of a new hour: every wait has a limit (ms). */
const HOUR = 3_600_000;
/** netifd is waited for so long at the start (ms), if nothing is known. */
const FIRST_ANSWER = 3_000;

/** The networks of netifd that the configuration names, followed over ubus. */
export class Networks {
  readonly #host: Host;
  readonly #onChange: () => void;
  readonly #renamed = new Wake();
  readonly #told = new Wake();
  #names: readonly string[] = [];
  #known: KnownNetworks = new Map();
  /** Ends what follows the names of before. */
  #following = new AbortController();

  /** `onChange` is called whenever {@link known} is another. */
  constructor(host: Host, onChange: () => void) {
    this.#host = host;
    this.#onChange = onChange;
  }

  get known(): KnownNetworks {
    return this.#known;
  }

  /** Follows these networks from now on. */
  follow(names: readonly string[]): void {
    if (names.join() === this.#names.join()) return;
    this.#names = names;
    this.#following.abort(new Error("other networks are followed"));
    this.#renamed.set();
  }

  /** Takes up what a former daemon knew. */
  async open(): Promise<void> {
    const kept = await this.#host.files.read(KNOWN).catch(() => new Uint8Array());
    this.#known = parseWays(new TextDecoder().decode(kept));
  }

  /** Waits until something is known of each network, or netifd had time to tell; not at all where there is no ubus. */
  async first(signal: AbortSignal): Promise<void> {
    if (this.#names.length === 0 || !(await hasUbus(this.#host))) return;
    const deadline = this.#host.clock.monotonic() + FIRST_ANSWER;
    for (;;) {
      const left = deadline - this.#host.clock.monotonic();
      if (left <= 0 || signal.aborted || this.#names.every((name) => this.#known.has(name))) return;
      await this.#told.wait(left, signal);
    }
  }

  /** Follows until the signal fires. Without a network to follow there is no connection to ubus. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#following = endingWith(signal);
      if (this.#names.length > 0) await this.#watch(this.#names, this.#following.signal);
      await this.#renamed.wait(HOUR, signal);
    }
  }

  async #watch(names: readonly string[], signal: AbortSignal): Promise<void> {
    const ubus = ubusOf(this.#host, signal);
    try {
      for await (const states of watchNetworks(ubus, names, signal)) {
        this.#known = learnNetworks(this.#known, states);
        this.#told.set();
        this.#onChange();
        // The next daemon asks netifd itself then.
        await keepFile(this.#host, KNOWN, formatWays(this.#known), 0o644).catch(() => undefined);
      }
    } finally {
      ubus.close();
    }
  }
}
