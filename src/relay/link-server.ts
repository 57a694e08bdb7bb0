import type { Host, UdpSocket } from "../host/types.ts";
import { type Claim, type ClaimState, hearProbe, noClaim } from "../link/claims.ts";
import { decodeMessage, encodeMessage } from "../link/message.ts";
import { hexOf } from "../plan/hex.ts";
import { blockLength, blockOf, contains, parseIpv4, type Prefix } from "../plan/addresses.ts";
import { MAX_GATEWAY, PORT_PROBE } from "../plan/numbers.ts";
import { MOST_WINDOW } from "../plan/first-window.ts";
import type { SendNeed } from "../plan/tcp-buffers.ts";
import { Allowance } from "./allowance.ts";
import { LANE_MTU } from "./desired.ts";
import type { LiveLane, LiveLanes } from "./plan.ts";

interface HeardHome {
  state: ClaimState;
  /** Monotonic ms by lane. */
  readonly heard: Map<number, number>;
  /** A home that changes its mind all the time must not keep the relay busy with it. Falls are counted apart: somebody waits for each. */
  readonly falls: Allowance;
  readonly changes: Allowance;
}

/** So many changes of a home's lanes are told at once, and one more every second; what is beyond waits for the daemon's sweep. */
const CHANGES = 16;
/** Lanes that a former daemon routed by are kept this long (ms) without a word of the home: four idle probes. */
const KEPT = 60_000;
/** RFC 791: the least that every host must take (bytes). A home that claims less would have its route refused by the kernel. */
const LEAST_MTU = 576;

export interface LinkServerOptions {
  /** Called when something that the kernel's state follows from changed: the live lanes of a home, or what they need. */
  readonly onChange: () => void;
  /** The lanes whose servers were started lately: bit i, lane i. */
  readonly restarted: () => number;
  /** Called with the lanes that a home says are live no more. */
  readonly onFall: (home: number, lanes: readonly number[]) => void;
}

/** Answers the homes' probes on the service address, and keeps what they claim. */
export class LinkServer {
  readonly #host: Host;
  readonly #prefix: Prefix;
  readonly #options: LinkServerOptions;
  readonly #homes = new Map<number, HeardHome>();
  #socket: UdpSocket | undefined;
  #admitted: ReadonlySet<number> = new Set();
  #former: LiveLanes = new Map();
  #formerUntil = 0;

  constructor(host: Host, prefix: Prefix, options: LinkServerOptions) {
    this.#host = host;
    this.#prefix = prefix;
    this.#options = options;
  }

  /** Binds to the service address; rejects with EADDRNOTAVAIL while the kernel doesn't have it. */
  async open(service: string): Promise<void> {
    this.#socket ??= await this.#host.sockets.bindUdp(service, PORT_PROBE, ({ bytes, address, port }) => {
      this.#hear(bytes, address, port);
    });
  }

  close(): void {
    this.#socket?.close();
    this.#socket = undefined;
  }

  claim(home: number): Claim | undefined {
    return this.#homes.get(home)?.state.claim;
  }

  /** When each lane of the home was last heard, monotonic ms. */
  heard(home: number): ReadonlyMap<number, number> {
    return this.#homes.get(home)?.heard ?? new Map<number, number>();
  }

  /** The lanes that homes claim to be live; of those not heard yet, the ones that a former daemon believed. */
  live(): LiveLanes {
    const former = this.#host.clock.monotonic() < this.#formerUntil ? this.#former : [];
    const claimed = [...this.#homes].flatMap(([home, { state }]) =>
      state.claim === undefined ? [] : [[home, liveLanesOf(state.claim)] as const],
    );
    return new Map([...former, ...claimed]);
  }

  /** What a subflow to a home should be able to hold: the most that any of them needs. */
  get need(): SendNeed {
    const needs = [...this.#homes.values()].flatMap(({ state: { claim } }) => claim?.need ?? []);
    const most = (of: (need: SendNeed) => number): number => Math.max(0, ...needs.map(of));
    return { reserved: most(({ reserved }) => reserved), alone: most(({ alone }) => alone) };
  }

  /** Only these homes are listened to. */
  admit(homes: ReadonlySet<number>): void {
    this.#admitted = homes;
  }

  /** What a former daemon routed by, so that replies have a way before the homes' next probes. */
  adopt(former: LiveLanes): void {
    this.#former = former;
    this.#formerUntil = this.#host.clock.monotonic() + KEPT;
  }

  /** The home was removed: what it claimed is void. */
  forget(home: number): void {
    this.#homes.delete(home);
    this.#former = new Map([...this.#former].filter(([number]) => number !== home));
  }

  #hear(bytes: Uint8Array, address: string, port: number): void {
    const probe = decodeMessage(bytes);
    const sender = this.#senderOf(address);
    if (probe?.type !== "probe" || sender === undefined || probe.lane !== sender.lane) return;
    if (!this.#admitted.has(sender.home)) return;
    const now = this.#host.clock.monotonic();
    const home = this.#homes.get(sender.home) ?? {
      state: noClaim,
      heard: new Map<number, number>(),
      falls: new Allowance(CHANGES, now),
      changes: new Allowance(CHANGES, now),
    };
    this.#homes.set(sender.home, home);
    home.heard.set(sender.lane, now);
    const before = home.state.claim;
    const answer = hearProbe(home.state, probe, sender.lane, hexOf(this.#host.random(8)));
    home.state = answer.state;
    const token = answer.reply === "challenge" ? answer.token : probe.token;
    const twice = answer.state.claim?.twice ?? false;
    const reply = encodeMessage({ ...probe, type: answer.reply, token, twice, restarted: this.#options.restarted() }, bytes.length);
    this.#socket?.send(reply, address, port).catch(() => undefined);
    if (decisive(home.state.claim) === decisive(before)) return;
    const fallen = liveLanesOf(before)
      .map(({ lane }) => lane)
      .filter((lane) => ((home.state.claim?.live ?? 0) & (1 << lane)) === 0);
    if (fallen.length > 0 && home.falls.take(now)) this.#options.onFall(sender.home, fallen);
    else if (!home.changes.take(now)) return;
    this.#options.onChange();
  }

  /** Who sends is told by the source address, which OpenVPN's server enforces. */
  #senderOf(address: string): { readonly home: number; readonly lane: number } | undefined {
    const value = parseIpv4(address);
    if (value === undefined || !contains(this.#prefix, value)) return undefined;
    const size = 2 ** (32 - blockLength(this.#prefix));
    const lane = Math.floor((value - this.#prefix.base) / size);
    return lane === 0 ? undefined : { lane, home: value - blockOf(this.#prefix, lane).base };
  }
}

function liveLanesOf(claim: Claim | undefined): readonly LiveLane[] {
  if (claim === undefined) return [];
  const lanes = Array.from({ length: MAX_GATEWAY }, (_, index) => index + 1).filter((lane) => (claim.live & (1 << lane)) !== 0);
  return lanes.map((lane) => {
    const { mtu = LANE_MTU, window = 0 } = claim.lanes.get(lane) ?? {};
    return { lane, mtu: Math.max(LEAST_MTU, Math.min(LANE_MTU, mtu)), window: Math.min(MOST_WINDOW, window) };
  });
}

/** What of a claim decides the kernel's state. */
const decisive = (claim: Claim | undefined): string =>
  [claim?.need.reserved, claim?.need.alone, ...liveLanesOf(claim).map(({ lane, mtu, window }) => `${lane}/${mtu}/${window}`)].join(" ");
