import type { Host } from "../host/types.ts";
import type { HomePlan } from "./plan.ts";
import type { Reach } from "./reach.ts";

/** No lane was live for so long (ms): new flows leave by the gateways themselves. */
const DIRECT_AFTER = 2_000;

/** What is known of a gateway while no relay answers. */
export interface DirectView {
  readonly number: number;
  /** Its interface is up and has a carrier. */
  readonly works: boolean;
  /** The relay's machine, or another, was reached through it; undefined: not asked yet. */
  readonly answers: boolean | undefined;
}

/**
 * The gateways to leave by: those that something was reached through. When nothing is reached through any, the relay's machine may
 * itself be away, which says nothing of the gateways: all that work are used.
 */
export function directGateways(views: readonly DirectView[]): readonly number[] {
  const working = views.filter(({ works }) => works);
  const answering = working.filter(({ answers }) => answers === true);
  const chosen = answering.length === 0 ? working : working.filter(({ answers }) => answers !== false);
  return chosen.map(({ number }) => number).sort((a, b) => a - b);
}

/** Watches, while no lane is live, which gateways have the Internet. */
export class Direct {
  readonly #host: Host;
  readonly #onChange: () => void;
  readonly #reach: Reach;
  #withoutSince: number | undefined;
  #chosen: readonly number[] = [];

  constructor(host: Host, reach: Reach, onChange: () => void) {
    this.#host = host;
    this.#reach = reach;
    this.#onChange = onChange;
  }

  /** The gateways that new flows leave by; empty while a lane is live, or was a moment ago. */
  get gateways(): readonly number[] {
    return this.#chosen;
  }

  /** To be called again and again. `live`: a lane is; `working`: devices that are up and have a carrier. */
  follow(plan: HomePlan, live: boolean, working: ReadonlySet<string>): void {
    const now = this.#host.clock.monotonic();
    if (live || plan.membership === undefined) {
      this.#withoutSince = undefined;
      this.#choose([]);
      return;
    }
    this.#withoutSince ??= now;
    if (now - this.#withoutSince < DIRECT_AFTER) return;
    const views = plan.gateways.map(({ number, way }) => ({
      number,
      works: working.has(way.device),
      answers: this.#reach.byGateway(number),
    }));
    this.#choose(directGateways(views));
  }

  #choose(gateways: readonly number[]): void {
    if (gateways.join() === this.#chosen.join()) return;
    this.#chosen = gateways;
    this.#onChange();
  }
}
