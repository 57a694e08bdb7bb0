import type { Host } from "../host/types.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { SendLimit } from "../plan/tcp-buffers.ts";
import { isAborted } from "../process/aborted.ts";
import type { Log } from "../process/log.ts";
import { type DeviceCounters, parseCounters } from "./counters.ts";
import { Dependence } from "./dependence.ts";
import { serviceRoute } from "./desired.ts";
import { endAttempts } from "./end-attempts.ts";
import type { Healer } from "./healer.ts";
import { carries } from "./health.ts";
import type { Lane } from "./lane.ts";
import { carried, type Lanes } from "./lanes.ts";
import { type HomePlan, laneAddress } from "./plan.ts";
import type { Quotas } from "./quotas.ts";

/** Rates are taken over so much (ms). */
const RATE = 1_000;
/** The lanes' counters are looked at this often (ms): while something goes by them, while one is in doubt, and while nothing does. */
const BUSY = 30;
const DOUBT = 15;
const IDLE = 250;
const LEAST_PAUSE = 10;

interface Parts {
  readonly lanes: Lanes;
  readonly healer: Healer;
  readonly quotas: Quotas;
}

/** What the daemon has now. */
interface Present {
  readonly plan: HomePlan;
  readonly kernel: Kernel;
  readonly sendLimit: SendLimit;
}

interface Listeners {
  /** Something is to be reconciled. */
  readonly onChange: () => void;
  /** The lanes were looked at. */
  readonly onLook: () => void;
}

/** Looks after the lanes between reconciles: probes, counts, judges, and does at once what can't wait for one. */
export class LaneWatch {
  readonly #host: Host;
  readonly #log: Log;
  readonly #parts: Parts;
  readonly #present: () => Present;
  readonly #listeners: Listeners;
  readonly #signal: AbortSignal;
  readonly #dependence: Dependence;
  /** The lane that the route to the relay's service address leads by. */
  #nearest: number | undefined;

  constructor(host: Host, log: Log, parts: Parts, present: () => Present, listeners: Listeners, signal: AbortSignal) {
    this.#host = host;
    this.#log = log;
    this.#parts = parts;
    this.#present = present;
    this.#listeners = listeners;
    this.#signal = signal;
    this.#dependence = new Dependence(host);
  }

  /** Until the signal fires; probes the lanes and judges them as closely as what goes by them asks for. */
  async run(): Promise<void> {
    const { lanes, healer, quotas } = this.#parts;
    let metered = Number.NEGATIVE_INFINITY;
    while (!this.#signal.aborted) {
      const counters = await this.#sample();
      const now = this.#host.clock.monotonic();
      if (now - metered >= RATE) {
        metered = now;
        this.#measure(counters);
        lanes.spent = await quotas.count(this.#present().plan, counters);
      }
      const wait = await lanes.tick();
      this.#lookWhoDepends();
      lanes.judge();
      this.#steer();
      this.#listeners.onLook();
      if (lanes.busy && healer.due) {
        const { plan, kernel } = this.#present();
        this.#mend(async (live) => await healer.look(plan, kernel, live, this.#signal));
      }
      const pause = Math.max(LEAST_PAUSE, Math.min(lanes.doubtful ? DOUBT : lanes.busy ? BUSY : IDLE, wait));
      const due = this.#host.clock.monotonic() + pause;
      await this.#host.clock.sleep(pause, this.#signal).catch(() => undefined);
      lanes.wasDue(due);
    }
    await quotas.count(this.#present().plan, await this.#sample());
    await quotas.close();
  }

  /**
   * Takes the lanes from the connections at once: their data, and what is acknowledged by the nearest, goes by the others. The rest is for
   * the next reconcile.
   */
  async drop(fallen: readonly Lane[]): Promise<void> {
    const { lanes, healer } = this.#parts;
    const { plan, kernel } = this.#present();
    const { membership } = plan;
    if (membership === undefined) return;
    const addresses = fallen.map(({ gateway }) => laneAddress(membership, gateway.number));
    this.#nearest = lanes.nearest;
    const instead = this.#nearest === undefined ? [] : [serviceRoute(membership, this.#nearest)];
    const results = await Promise.allSettled([
      kernel.leave(addresses, instead, this.#signal),
      endAttempts(this.#host, addresses, this.#signal),
    ]);
    for (const result of results) if (result.status === "rejected") this.#tell(String(result.reason));
    this.#mend(async (live) => await healer.revive(plan, kernel, live, this.#signal));
  }

  async #sample(): Promise<ReadonlyMap<string, DeviceCounters>> {
    const counters = parseCounters(new TextDecoder().decode(await this.#host.files.read("/proc/net/dev")));
    for (const lane of this.#parts.lanes.all) {
      const found = counters.get(lane.device);
      if (found !== undefined) lane.count(found.received, found.sent);
    }
    return counters;
  }

  #measure(counters: ReadonlyMap<string, DeviceCounters>): void {
    const { lanes } = this.#parts;
    const limit = this.#present().sendLimit.subflow;
    const { far } = lanes;
    lanes.measure(counters);
    if (this.#present().sendLimit.subflow !== limit || lanes.far !== far) this.#listeners.onChange();
  }

  /** When another lane is the nearest, what is acknowledged by it goes there at once: its silence would be that of all. */
  #steer(): void {
    const { plan, kernel } = this.#present();
    const { nearest } = this.#parts.lanes;
    if (nearest === this.#nearest) return;
    this.#nearest = nearest;
    if (plan.membership === undefined || nearest === undefined) return;
    kernel.leave([], [serviceRoute(plan.membership, nearest)], this.#signal).catch((error: unknown) => {
      this.#tell(String(error));
    });
  }

  /** Whether a lane that may fall is some connection's only one; if that can't be known, it is as if it were not. No lane's silence waits for it. */
  #lookWhoDepends(): void {
    const { lanes } = this.#parts;
    this.#dependence.look(this.#present().plan.membership, lanes.mayFall, this.#signal).then(
      (found) => {
        if (found !== undefined) lanes.dependedOn = found;
      },
      (error: unknown) => {
        lanes.dependedOn = new Set();
        this.#notLookedAt(error);
      },
    );
  }

  /** Mends connections, with the lanes that carry, those that carry least first. */
  #mend(how: (live: readonly number[]) => Promise<boolean>): void {
    const live = this.#parts.lanes.all.filter(({ health }) => carries(health.state)).sort((a, b) => carried(a) - carried(b));
    how(live.map(({ gateway }) => gateway.number)).then(
      (changed) => {
        if (changed) this.#listeners.onChange();
      },
      (error: unknown) => {
        this.#notLookedAt(error);
      },
    );
  }

  #notLookedAt(error: unknown): void {
    this.#tell(`subflows could not be looked at: ${String(error)}`);
  }

  /** What fails because the daemon ends is no news. */
  #tell(text: string): void {
    if (!isAborted(this.#signal)) this.#log.write("debug", text);
  }
}
