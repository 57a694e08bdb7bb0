import type { Host } from "../host/types.ts";
import { hexOf } from "../plan/hex.ts";
import type { SendNeed } from "../plan/tcp-buffers.ts";
import type { Log } from "../process/log.ts";
import { endNamed } from "../process/end-named.ts";
import type { AdoptedLanes } from "./adopt.ts";
import type { DeviceCounters } from "./counters.ts";
import { fallSteps } from "./fall-steps.ts";
import { carries } from "./health.ts";
import { Lane } from "./lane.ts";
import type { LaneCompany } from "./lane-company.ts";
import type { ProbeIdentity } from "./lane-probe.ts";
import { Lateness } from "./lateness.ts";
import { SendMeter } from "./send-meter.ts";
import { type Far, farOf, type Nearest, nearestOf } from "./nearest.ts";
import { type HomePlan, liveLanes, type Membership, type NumberedGateway } from "./plan.ts";
import { carriers } from "./roles.ts";

/** Lanes that fall within this time (ms) fall together. */
const TOGETHER_WITHIN = 100;

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
  readonly #company: LaneCompany;
  readonly #running = new Map<number, RunningLane>();
  readonly #identity: ProbeIdentity;
  #counter = 0;
  readonly #sends = new SendMeter();
  /** The lanes whose servers were new at the last word of the relay. */
  #restarted: number | undefined;
  #carriers: ReadonlySet<number> = new Set();
  #spent: ReadonlySet<string> = new Set();
  #dependedOn: ReadonlySet<number> = new Set();
  /** The lane that ceased to carry last, and when, monotonic ms. */
  #fell: { readonly number: number; readonly at: number } | undefined;
  /** The lanes that changed, by number, until that is told: what is judged in one go is told in one. */
  readonly #changed = new Set<number>();
  /** Lanes that fell and are not told of yet. */
  #withheld: ReadonlySet<number> = new Set();
  readonly #lateness = new Lateness();
  #nearest: Nearest = { number: undefined, at: Number.NEGATIVE_INFINITY };
  #far: Far = { numbers: [], since: undefined };

  /** `onChange` is called with the lanes that begin or cease to carry, and with none at other news of theirs. */
  constructor(host: Host, log: Log, onChange: (lanes: readonly Lane[]) => void) {
    this.#host = host;
    this.#log = log;
    this.#company = {
      wants: (number) => this.#carriers.has(number),
      dependedOn: (number) => this.#dependedOn.has(number),
      lateness: () => this.#lateness.value(host.clock.monotonic()),
      anotherFell: (number) => this.#anotherFell(number),
      othersHeard: (number) => this.#othersHeard(number),
      onRestarted: (bits) => {
        const fresh = bits & ~(this.#restarted ?? bits);
        this.#restarted = bits;
        for (const lane of this.all) if ((fresh & (1 << lane.gateway.number)) !== 0) lane.serverIsNew();
      },
      onNews: () => {
        onChange([]);
      },
      onChange: (number) => {
        const lane = this.#running.get(number)?.lane;
        if (lane !== undefined && !carries(lane.health.state)) this.#fell = { number, at: host.clock.monotonic() };
        this.#changed.add(number);
        if (this.#changed.size > 1) return;
        queueMicrotask(() => {
          onChange(this.#tell());
        });
      },
    };
    this.#identity = {
      boot: hexOf(host.random(8)),
      nextCounter: () => (this.#counter += 1),
      need: () => this.#sends.needs.relay,
      live: () => this.all.reduce((bits, lane) => bits | (this.#claims(lane) ? 1 << lane.gateway.number : 0), 0),
    };
  }

  #claims({ gateway, health }: Lane): boolean {
    return carries(health.state) || this.#withheld.has(gateway.number);
  }

  #othersHeard(number: number): number | undefined {
    const others = this.all.filter(({ gateway, health }) => gateway.number !== number && carries(health.state));
    return others.length === 0 ? undefined : Math.max(...others.map(({ probe }) => probe.lastHeard ?? Number.NEGATIVE_INFINITY));
  }

  /** Says whether anything can leave by an interface: gateways behind one that is down are not waited for. */
  onLink(device: string, works: boolean): void {
    for (const lane of this.all) {
      if (lane.gateway.way.device === device) lane.cutOff(works ? "" : `its interface ${device} is down or unplugged`);
    }
  }

  /** How long (ms) nothing has come in by any lane though each was asked; 0 while anything does. */
  get silence(): number {
    const now = this.#host.clock.monotonic();
    const { all } = this;
    if (all.length === 0 || all.some(({ probe }) => probe.unansweredSince === undefined)) return 0;
    return now - Math.max(...all.map(({ probe }) => Math.max(probe.lastHeard ?? Number.NEGATIVE_INFINITY, probe.since)));
  }

  /** Says that what was due at `due` (monotonic ms) is done now. */
  wasDue(due: number): void {
    this.#lateness.see(this.#host.clock.monotonic(), due);
  }

  /** Names of the gateways that have used up their quota. Takes effect with the next {@link judge}. */
  set spent(names: ReadonlySet<string>) {
    this.#spent = names;
  }

  /** Numbers of lanes that may fall and are some connection's only one. Takes effect with the next {@link judge}. */
  set dependedOn(numbers: ReadonlySet<number>) {
    this.#dependedOn = numbers;
  }

  /** The numbers of the lanes that carry and may cease to. */
  get mayFall(): readonly number[] {
    return this.all.filter((lane) => lane.mayFall).map(({ gateway }) => gateway.number);
  }

  /** Learns from the devices' counters (by name) what the lanes carry, and what they need of the buffers; to be called every second or so. */
  measure(counters: ReadonlyMap<string, DeviceCounters>): void {
    const now = this.#host.clock.monotonic();
    const snapshots = this.all.map(({ snapshot }) => snapshot);
    this.#far = farOf(this.#far, now, this.busy, snapshots);
    const nearest = this.all.find(({ gateway }) => gateway.number === liveLanes(snapshots)[0]?.number)?.probe.usual.usual;
    const carriage = this.all.flatMap(({ device, gateway, meter, probe, windows }) => {
      const found = counters.get(device);
      if (found === undefined) return [];
      meter.add(now, found);
      const roundTrip = probe.usual.usual;
      const downRoundTrip = this.far.includes(gateway.number) && nearest !== undefined ? (roundTrip + nearest) / 2 : roundTrip;
      const seen = { rates: meter.latest, steady: meter.rates, roundTrip, downRoundTrip };
      windows.see(seen);
      return [seen];
    });
    this.#sends.see(carriage);
  }

  /** The numbers of the lanes whose downloads are acknowledged by way of the nearest; the same array until they change. */
  get far(): readonly number[] {
    return this.#far.numbers;
  }

  /** Which lane is the nearest now. */
  get nearest(): number | undefined {
    const snapshots = this.all.map(({ snapshot }) => snapshot);
    this.#nearest = nearestOf(this.#nearest, this.#host.clock.monotonic(), snapshots);
    return this.#nearest.number;
  }

  /** What a subflow of the home's should be able to hold. */
  get need(): SendNeed {
    return this.#sends.needs.home;
  }

  /** Judges every lane by what is known now, and which of them are to carry. */
  judge(): void {
    const before = this.#fell;
    for (const lane of this.all) lane.observe();
    if (this.#fell !== before) for (const lane of this.all) lane.observe();
    this.#choose();
  }

  #choose(): void {
    const former = this.#carriers;
    this.#carriers = carriers(
      this.all.map(({ gateway: { number, section }, health: { state } }) => ({
        number,
        priority: section.priority,
        weight: section.weight,
        well: state === "up" || state === "standby",
        spent: this.#spent.has(section.name),
      })),
    );
    if (former.size === this.#carriers.size && [...former].every((number) => this.#carriers.has(number))) return;
    for (const lane of this.all) lane.observe();
  }

  /** Sends the probes that are due; answers the milliseconds until the next. */
  async tick(): Promise<number> {
    const { doubtful } = this;
    const waits = await Promise.all(this.all.map(async (lane) => await lane.tick(doubtful)));
    return Math.min(...waits, Number.POSITIVE_INFINITY);
  }

  /** Whether a lane that carries does not answer as it should. */
  get doubtful(): boolean {
    return this.all.some((lane) => carries(lane.health.state) && lane.doubtful);
  }

  /** Whether any lane has to be watched closely. */
  get busy(): boolean {
    return this.all.some((lane) => lane.loaded || lane.doubtful);
  }

  #anotherFell(number: number): boolean {
    const fell = this.#fell;
    return fell !== undefined && fell.number !== number && this.#host.clock.monotonic() - fell.at < TOGETHER_WITHIN;
  }

  /** Tells the relay which lanes changed, and answers them: those that fell in the order in which they are to be taken away. */
  #tell(): readonly Lane[] {
    const changed = this.all.filter(({ gateway }) => this.#changed.has(gateway.number));
    this.#changed.clear();
    const risen = changed.filter(({ health }) => carries(health.state));
    const fallen = changed.filter(({ health }) => !carries(health.state));
    const steps = fallSteps(fallen.map((lane) => ({ lane, number: lane.gateway.number, carried: carried(lane) })));
    for (const [index] of steps.entries()) {
      this.#withheld = new Set(steps.slice(index + 1).flatMap((step) => step.map(({ number }) => number)));
      this.#claim();
    }
    if (steps.length === 0) this.#claim();
    return [...risen, ...steps.flat().map(({ lane }) => lane)];
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
        await running.lane.configure(gateway, plan, membership, ciphers);
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
    this.#choose();
  }

  #start(
    plan: HomePlan,
    gateway: NumberedGateway,
    membership: Membership,
    ciphers: readonly string[],
    adopted: number | undefined,
    signal: AbortSignal,
  ): void {
    const lane = new Lane(this.#host, gateway, membership, this.#identity, this.#log, adopted, this.#company);
    const ended = lane.run(plan, membership, ciphers, signal).catch((error: unknown) => {
      this.#log.write("error", `gateway '${gateway.section.name}': ${error instanceof Error ? error.message : String(error)}`);
    });
    this.#running.set(gateway.number, { lane, key: keyOf(plan, gateway, membership), ended });
  }
}

/** What it carried lately, both ways, bit/s. */
export const carried = ({ meter: { rates } }: Lane): number => rates.down + rates.up;

function keyOf(plan: HomePlan, gateway: NumberedGateway, membership: Membership): string {
  return JSON.stringify([plan.config.main.aliasPrefix, gateway.section.name, gateway.section.mtu ?? null, membership]);
}
