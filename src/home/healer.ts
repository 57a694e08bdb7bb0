import type { Host } from "../host/types.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { Log } from "../process/log.ts";
import { Healing, LOST_AFTER } from "./healing.ts";
import { type HomePlan, laneAddress } from "./plan.ts";
import { type Connection, readConnections, readSubflows, type Subflow } from "./subflows.ts";

/** While the lanes are used, the connections' subflows are looked at this often (ms). */
const LOOK_EVERY = 5_000;
/** And so long (ms) after a lane has fallen. */
const LOOK_AGAIN = 1_000;

/** Looks whether every connection has its subflows, and asks the kernel anew for those that it lacks. */
export class Healer {
  readonly #host: Host;
  readonly #log: Log;
  readonly #healing = new Healing();
  readonly #endSessions: (sources: ReadonlySet<string>) => Promise<void>;
  #lookedAt = Number.NEGATIVE_INFINITY;

  /** `endSessions` ends what HAProxy has open from these addresses, `198.19.16.2:44936`. */
  constructor(host: Host, log: Log, endSessions: (sources: ReadonlySet<string>) => Promise<void>) {
    this.#host = host;
    this.#log = log;
    this.#endSessions = endSessions;
  }

  /** Whether it is time to look again. */
  get due(): boolean {
    return this.#host.clock.monotonic() - this.#lookedAt >= (this.#healing.waits ? LOST_AFTER : LOOK_EVERY);
  }

  /**
   * Looks, to be called when it is {@link due}; `live` are the numbers of the lanes that carry, those that carry least first. Answers whether the kernel has to
   * be made right again, or the {@link complaints} are others now. Rejects if `ss` or `ip` can't be run.
   */
  async look(plan: HomePlan, kernel: Kernel, live: readonly number[], signal: AbortSignal): Promise<boolean> {
    const { membership } = plan;
    const now = this.#host.clock.monotonic();
    if (membership === undefined) return false;
    this.#lookedAt = now;
    const before = this.complaints(plan).length;
    const addresses = live.map((number) => laneAddress(membership, number));
    const [connections, subflows] = await this.#read(signal);
    const lacking = this.#healing.look(now, subflows, addresses);
    if (lacking !== undefined) await this.#renew(kernel, lacking, signal);
    const { lost } = this.#healing.orphans(now, connections, subflows);
    // Whoever waits for them may try again now, not when the kernel gives up.
    if (lost.length > 0) await this.#endSessions(new Set(lost.map(({ source }) => source)));
    return lacking !== undefined || this.complaints(plan).length !== before;
  }

  /**
   * To be called when a lane has fallen: connections that had no other are given one. `live` as in {@link look}: what the chosen lane
   * carries is disturbed. Answers whether the kernel has to be made right again. Rejects if `ss` or `ip` can't be run.
   */
  async revive({ membership }: HomePlan, kernel: Kernel, live: readonly number[], signal: AbortSignal): Promise<boolean> {
    if (membership === undefined || live.length === 0) return false;
    const now = this.#host.clock.monotonic();
    // The kernel may not be done with them yet.
    this.#lookedAt = now - LOOK_EVERY + LOOK_AGAIN;
    const [connections, subflows] = await this.#read(signal);
    const { found } = this.#healing.orphans(now, connections, subflows);
    const addresses = live.map((number) => laneAddress(membership, number));
    const helper = this.#healing.helper(found.length, subflows, addresses);
    if (helper === undefined) return false;
    await this.#renew(kernel, helper, signal);
    return true;
  }

  async #read(signal: AbortSignal): Promise<readonly [readonly Connection[], readonly Subflow[]]> {
    return await Promise.all([readConnections(this.#host, signal), readSubflows(this.#host, signal)]);
  }

  async #renew(kernel: Kernel, address: string, signal: AbortSignal): Promise<void> {
    this.#log.write("debug", `connections lack subflows from ${address}: they are asked for again`);
    await kernel.leave([address], [], signal);
    this.#healing.renewed(address);
  }

  /** The gateways that connections can't use as they should, and why, for a person. */
  complaints({ membership, gateways }: HomePlan): readonly { readonly number: number; readonly text: string }[] {
    if (membership === undefined) return [];
    const now = this.#host.clock.monotonic();
    return gateways.flatMap(({ number, section }) => {
      const text = this.#healing.complaint(now, laneAddress(membership, number));
      return text === "" ? [] : [{ number, text: `gateway '${section.name}': ${text}` }];
    });
  }
}
