import type { Host } from "../host/types.ts";
import type { Log } from "../process/log.ts";
import type { DeviceCounters } from "./counters.ts";
import type { HomePlan } from "./plan.ts";
import { deviceOfLane } from "../plan/numbers.ts";
import { quotaState, quotaWarning } from "./quota.ts";
import { type Carried, UsageMeter } from "./usage-meter.ts";

/** What the gateways' donors allow, and what is left of it. */
export class Quotas {
  readonly #meter: UsageMeter;
  readonly #log: Log;

  constructor(host: Host, log: Log) {
    this.#meter = new UsageMeter(host);
    this.#log = log;
  }

  /** Takes up what was counted before. */
  async open(): Promise<void> {
    await this.#meter.open();
  }

  /** Counts by the devices' counters of now, and answers the names of the gateways that have used up their quota. */
  async count(plan: HomePlan, counters: ReadonlyMap<string, DeviceCounters>): Promise<ReadonlySet<string>> {
    const carried = new Map<string, Carried>();
    for (const { number, section } of plan.gateways) {
      const found = counters.get(deviceOfLane(number));
      if (found !== undefined) carried.set(section.name, { bytes: found.received + found.sent, packets: found.packets });
    }
    this.#meter.count(carried);
    await this.#try(async () => {
      await this.#meter.save();
    });
    const spent = plan.gateways.filter(({ section: { name, quota } }) => quotaState(this.#meter.used(name), quota) === "spent");
    return new Set(spent.map(({ section }) => section.name));
  }

  /** The daemon ends: all that was counted is kept. */
  async close(): Promise<void> {
    await this.#try(async () => {
      await this.#meter.close();
    });
  }

  /** A full flash must not stop the household; the count goes on in memory. */
  async #try(write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } catch (error) {
      this.#log.write("debug", `the gateways' usage could not be written: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  warnings(plan: HomePlan): readonly string[] {
    return plan.gateways.flatMap(({ section: { name, quota } }) => quotaWarning(name, this.#meter.used(name), quota) ?? []);
  }
}
