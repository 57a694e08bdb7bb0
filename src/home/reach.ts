import type { Host } from "../host/types.ts";
import { aliasOfGateway, type HomePlan } from "./plan.ts";

/** Seconds that an answer is waited for. */
const ANSWER_WITHIN = 2;
/** A relay that was left is asked for this often (ms). */
export const SELDOM = 60_000;

interface Answer {
  /** When it was asked, monotonic ms. */
  readonly asked: number;
  readonly came: boolean;
}

/** Which gateways reach which relays' machines, by ping: asked only while the lanes say nothing. */
export class Reach {
  readonly #host: Host;
  /** By gateway's number, then by address. */
  readonly #answers = new Map<number, Map<string, Answer>>();
  #askedAt = Number.NEGATIVE_INFINITY;
  #first = Number.NEGATIVE_INFINITY;

  constructor(host: Host) {
    this.#host = host;
  }

  /** What was known is of another time. */
  forget(): void {
    this.#answers.clear();
    this.#first = Number.NEGATIVE_INFINITY;
  }

  /** Asks every relay's addresses through every gateway, if it is time: every second at first, every ten when that goes on. */
  ask(plan: HomePlan, signal: AbortSignal): void {
    const now = this.#host.clock.monotonic();
    if (this.#first === Number.NEGATIVE_INFINITY) this.#first = now;
    const every = Math.max(1_000, Math.min(10_000, (now - this.#first) / 10));
    const addresses = new Set(plan.config.relays.filter(({ enabled }) => enabled).flatMap((relay) => relay.addresses));
    this.#askAll(plan, addresses, every, signal);
  }

  /** Asks these addresses alone, now and then: whether a relay that was left is there again. */
  askSeldom(plan: HomePlan, addresses: readonly string[], signal: AbortSignal): void {
    this.#askAll(plan, new Set(addresses), SELDOM, signal);
  }

  #askAll(plan: HomePlan, addresses: ReadonlySet<string>, every: number, signal: AbortSignal): void {
    const now = this.#host.clock.monotonic();
    if (now - this.#askedAt < every) return;
    this.#askedAt = now;
    for (const { number } of plan.gateways) for (const address of addresses) void this.#ask(plan, number, address, now, signal);
  }

  /** Whether the gateway reached any relay's machine when it was asked last; undefined: not known. */
  byGateway(gateway: number): boolean | undefined {
    const answers = [...(this.#answers.get(gateway)?.values() ?? [])];
    return answers.length === 0 ? undefined : answers.some(({ came }) => came);
  }

  /** Whether any gateway reached any of these addresses, or any at all, when asked at `since` (monotonic ms) or later. */
  reached(since: number, addresses?: readonly string[]): boolean {
    return [...this.#answers.values()].some((all) =>
      [...all].some(([address, { asked, came }]) => came && asked >= since && (addresses?.includes(address) ?? true)),
    );
  }

  async #ask(plan: HomePlan, gateway: number, address: string, asked: number, signal: AbortSignal): Promise<void> {
    const words = ["-n", "-q", "-c", "1", "-W", String(ANSWER_WITHIN), "-I", aliasOfGateway(plan, gateway), address];
    let came = false;
    try {
      came = (await this.#host.processes.run("ping", words, signal)).status === 0;
    } catch {
      // No ping, or none that can be run now: nothing is known.
      return;
    }
    const answers = this.#answers.get(gateway) ?? new Map<string, Answer>();
    this.#answers.set(gateway, answers);
    if ((answers.get(address)?.asked ?? Number.NEGATIVE_INFINITY) < asked) answers.set(address, { asked, came });
  }
}
