import type { Host } from "../host/types.ts";
import { hexOf } from "../plan/hex.ts";
import type { Log } from "../process/log.ts";
import { endNamed } from "../process/end-named.ts";
import type { AdoptedLanes } from "./adopt.ts";
import { carries } from "./health.ts";
import { Lane } from "./lane.ts";
import type { ProbeIdentity } from "./lane-probe.ts";
import type { HomePlan, Membership, NumberedGateway } from "./plan.ts";

interface RunningLane {
  readonly lane: Lane;
  /** All that a running OpenVPN depends on: when it changes, the lane is made anew. */
  readonly key: string;
  readonly ended: Promise<void>;
}

/** The lanes of a home: made, changed and ended as the plan says. Lanes that the plan leaves alone are not touched. */
export class Lanes {
  readonly #host: Host;
  readonly #log: Log;
  readonly #onChange: () => void;
  readonly #running = new Map<number, RunningLane>();
  readonly #identity: ProbeIdentity;
  #counter = 0;

  constructor(host: Host, log: Log, onChange: () => void) {
    this.#host = host;
    this.#log = log;
    this.#onChange = () => {
      this.#claim();
      onChange();
    };
    this.#identity = {
      boot: hexOf(host.random(8)),
      nextCounter: () => (this.#counter += 1),
      live: () => this.all.reduce((bits, lane) => bits | (carries(lane.health.state) ? 1 << lane.gateway.number : 0), 0),
    };
  }

  /** Tells the relay by every live lane, at once, which lanes live: until it knows, it sends what is not TCP by the wrong ones, or not. */
  #claim(): void {
    for (const { health, probe } of this.all) if (carries(health.state)) void probe.send("small");
  }

  get all(): readonly Lane[] {
    return [...this.#running.values()].map(({ lane }) => lane).sort((a, b) => a.gateway.number - b.gateway.number);
  }

  /** To be called when the devices may have been made anew. */
  async followDevices(): Promise<void> {
    for (const lane of this.all) await lane.followDevice();
  }

  /** Makes the lanes those of the plan; `adopted` ones begin as live. `signal` ends them all, and leaves their OpenVPNs running. */
  async set(plan: HomePlan, ciphers: readonly string[], signal: AbortSignal, adopted: AdoptedLanes = new Map()): Promise<void> {
    const { membership } = plan;
    const wanted = new Map(membership === undefined ? [] : plan.gateways.map((gateway) => [gateway.number, gateway]));
    for (const [number, running] of this.#running) {
      const gateway = wanted.get(number);
      if (gateway !== undefined && membership !== undefined && keyOf(plan, gateway, membership) === running.key) {
        // The home may have joined again, with other keys.
        await running.lane.configure(plan, membership, ciphers);
        continue;
      }
      running.lane.leave();
      await running.ended;
      this.#running.delete(number);
      if (gateway === undefined) await endNamed(this.#host, running.lane.processName, signal);
    }
    if (membership === undefined) return;
    for (const [number, gateway] of wanted) {
      if (!this.#running.has(number)) this.#start(plan, gateway, membership, ciphers, adopted.get(number), signal);
    }
  }

  #start(
    plan: HomePlan,
    gateway: NumberedGateway,
    membership: Membership,
    ciphers: readonly string[],
    adopted: number | undefined,
    signal: AbortSignal,
  ): void {
    const lane = new Lane(this.#host, gateway, membership, this.#identity, this.#log, adopted, this.#onChange);
    const ended = lane.run(plan, membership, ciphers, signal).catch((error: unknown) => {
      this.#log.write("error", `gateway '${gateway.section.name}': ${error instanceof Error ? error.message : String(error)}`);
    });
    this.#running.set(gateway.number, { lane, key: keyOf(plan, gateway, membership), ended });
  }
}

function keyOf(plan: HomePlan, gateway: NumberedGateway, membership: Membership): string {
  return JSON.stringify([plan.config.main.aliasPrefix, gateway.section.name, gateway.section.mtu ?? null, membership]);
}
