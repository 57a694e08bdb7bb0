import type { RelayConfig } from "../config/relay-types.ts";
import { blockOf, type Prefix, relayAddress } from "../plan/addresses.ts";
import type { Book } from "./homes.ts";

/** What the relay's decisions rest on that changes only with its configuration and its book of homes. */
export interface RelayPlan {
  readonly config: RelayConfig;
  readonly book: Book;
}

/** A lane that a home claims to be live. */
export interface LiveLane {
  readonly lane: number;
  /** The largest packet that passes it, bytes. */
  readonly mtu: number;
  /** What a subflow may send at once when it begins, packets; 0: what is usual. */
  readonly window: number;
}

/** By home number. */
export type LiveLanes = ReadonlyMap<number, readonly LiveLane[]>;

export const serviceAddress = (plan: RelayPlan): string => relayAddress(plan.config.prefix, 0);
export const stableBlock = (plan: RelayPlan): Prefix => blockOf(plan.config.prefix, 0);
export const lanesOf = (plan: RelayPlan): readonly number[] => Array.from({ length: plan.config.lanes }, (_, index) => index + 1);
