import type { Conversation, Host } from "../host/types.ts";
import { homeAddress } from "../plan/addresses.ts";
import { PORT_PROXY } from "../plan/numbers.ts";
import { anyOf } from "../process/any-of.ts";
import type { RelayPlan } from "./plan.ts";

/** Whose subflows are ended: those of this relay's proxy, of the homes' addresses that follow. */
const PROXY = ["sport", "=", `:${String(PORT_PROXY)}`, "and"] as const;
/** Ending the subflows of a home takes some milliseconds; a machine that does not get so far in this time (ms) is waited for no longer. */
const LIMIT = 5_000;

/**
 * Ends homes' subflows over lanes that they say are dead: what those hold goes by the others at once. A home's own word to this kernel
 * (REMOVE_ADDR, RFC 8684 3.4.2) is sent once, by the oldest subflow, which may be the dead one. A kernel without CONFIG_INET_DIAG_DESTROY
 * waits for its timers.
 *
 * To start a program takes ten milliseconds and more, and every connection of the home waits: one `ss` waits for its filter's end
 * (ss(8), -F).
 */
export class SubflowCutter {
  readonly #host: Host;
  #waiting: Promise<Conversation> | undefined;

  constructor(host: Host) {
    this.#host = host;
  }

  /** Starts the program that waits. */
  prepare(): void {
    this.#waiting ??= this.#host.processes.converse("ss", ["-K", "-tnH", "-F", "-", ...PROXY]);
    // Whoever cuts is told.
    this.#waiting.catch(() => undefined);
  }

  /** Ends the home's subflows over these lanes. Rejects with the signal's reason alone. */
  async cut(plan: RelayPlan, home: number, lanes: readonly number[], signal: AbortSignal): Promise<void> {
    const which = anyOf(
      "dst",
      lanes.map((lane) => homeAddress(plan.config.prefix, lane, home)),
    );
    try {
      if (!(await this.#tell(which.join(" "), signal))) await this.#host.processes.run("ss", ["-K", "-tnH", ...PROXY, ...which], signal);
    } catch {
      signal.throwIfAborted();
    }
    this.prepare();
  }

  /** Ends the program that waits. */
  async close(): Promise<void> {
    const waiting = await this.#waiting?.catch(() => undefined);
    this.#waiting = undefined;
    await waiting?.close();
  }

  /** Tells the program that waits; answers whether there was one. */
  async #tell(filter: string, signal: AbortSignal): Promise<boolean> {
    const waiting = await this.#waiting?.catch(() => undefined);
    this.#waiting = undefined;
    if (waiting === undefined) return false;
    const close = (): void => {
      waiting.close().catch(() => undefined);
    };
    const timer = setTimeout(close, LIMIT);
    signal.addEventListener("abort", close, { once: true });
    try {
      await waiting.write(new TextEncoder().encode(`${filter}\n`));
      waiting.end();
      let listed = 0;
      for await (const chunk of waiting.output) listed += chunk.length;
      return listed > 0;
    } catch {
      return false;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", close);
    }
  }
}
