import { RUN_DIRECTORY } from "../plan/run-directory.ts";
import type { Host } from "../host/types.ts";
import { keepFile } from "../process/keep-file.ts";
import { Direct } from "./direct.ts";
import { carries } from "./health.ts";
import type { Lanes } from "./lanes.ts";
import type { HomePlan, Membership } from "./plan.ts";
import { Reach, SELDOM } from "./reach.ts";
import { nextRelay, type RelayChoice } from "./relay-choice.ts";

/** A silence of all lanes this long (ms) makes the home ask whether it is the relay. */
const ASK_AFTER = 300;
/** A household whose lanes carried nothing for so long (ms) is not disturbed by a change of relay. */
const QUIET = 60_000;

/** The name of the relay in use, for the next daemon. */
const USED = `${RUN_DIRECTORY}/relay`;

/** While the lanes say nothing: is it the relay, or all gateways? Says which relay to use, and when to leave by the gateways directly. */
export class RelayWatch {
  readonly #host: Host;
  readonly #reach: Reach;
  readonly #direct: Direct;
  #choice: RelayChoice;
  #busyAt = 0;

  /** `onChange` is called when other gateways are to be left by directly. */
  constructor(host: Host, onChange: () => void) {
    this.#host = host;
    this.#reach = new Reach(host);
    this.#direct = new Direct(host, this.#reach, onChange);
    this.#choice = { index: 0, since: host.clock.monotonic(), vain: 0 };
  }

  /** Gateways that new flows leave by directly; empty while a lane is live, or was a moment ago. */
  get direct(): readonly number[] {
    return this.#direct.gateways;
  }

  /** The plan with the relay that a former daemon left in use: what runs toward it must not be torn down. */
  async adopt(plan: HomePlan): Promise<HomePlan> {
    const used = await this.#host.files.read(USED).catch(() => new Uint8Array());
    return this.use(plan, new TextDecoder().decode(used).trim());
  }

  /** The plan with this relay in use; with the first, if it has no such relay. */
  use(plan: HomePlan, name: string | undefined): HomePlan {
    const index = Math.max(
      0,
      plan.memberships.findIndex(({ relay }) => relay === name),
    );
    this.#choice = { ...this.#choice, index };
    return { ...plan, membership: plan.memberships[index] };
  }

  /** Remembers which relay is in use. Rejects with HostError. */
  async remember({ membership }: HomePlan): Promise<void> {
    if (membership !== undefined) await keepFile(this.#host, USED, `${membership.relay}\n`, 0o644);
  }

  /** To be called again and again. Answers the membership to go to; undefined: stay. `working`: devices that are up and have a carrier. */
  see(plan: HomePlan, lanes: Lanes, working: ReadonlySet<string>, signal: AbortSignal): Membership | undefined {
    const live = lanes.all.some(({ health }) => carries(health.state));
    const { silence, busy } = lanes;
    const first = plan.memberships[0]?.addresses ?? [];
    if (silence > ASK_AFTER || (!live && lanes.all.length > 0)) this.#reach.ask(plan, signal);
    else if (this.#choice.index > 0) this.#reach.askSeldom(plan, first, signal);
    else this.#reach.forget();
    this.#direct.follow(plan, live, working);
    const now = this.#host.clock.monotonic();
    if (busy) this.#busyAt = now;
    const next = nextRelay(this.#choice, {
      now,
      count: plan.memberships.length,
      silence,
      reached: this.#reach.reached(now - silence),
      firstReached: this.#reach.reached(now - 2 * SELDOM, first),
      idle: now - this.#busyAt > QUIET,
    });
    if (next === this.#choice) return undefined;
    this.#choice = next;
    return plan.memberships[next.index];
  }
}
