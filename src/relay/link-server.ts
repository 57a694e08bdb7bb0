import type { Host, UdpSocket } from "../host/types.ts";
import { type Claim, type ClaimState, hearProbe, noClaim } from "../link/claims.ts";
import { decodeMessage, encodeMessage, toHex } from "../link/message.ts";
import { blockLength, blockOf, contains, parseIpv4, type Prefix } from "../plan/addresses.ts";
import { MAX_GATEWAY, PORT_PROBE } from "../plan/numbers.ts";
import { LANE_MTU } from "./desired.ts";
import type { LiveLane, LiveLanes } from "./plan.ts";

interface HeardHome {
  state: ClaimState;
  /** Monotonic ms by lane. */
  readonly heard: Map<number, number>;
}

/** Answers the homes' probes on the service address, and keeps what they claim. */
export class LinkServer {
  readonly #host: Host;
  readonly #prefix: Prefix;
  readonly #onChange: () => void;
  readonly #homes = new Map<number, HeardHome>();
  #socket: UdpSocket | undefined;

  /** `onChange` is called when the live lanes of a home changed. */
  constructor(host: Host, prefix: Prefix, onChange: () => void) {
    this.#host = host;
    this.#prefix = prefix;
    this.#onChange = onChange;
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

  /** The lanes that homes claim to be live. */
  live(): LiveLanes {
    return new Map([...this.#homes].map(([home, { state }]) => [home, liveLanesOf(state.claim)]));
  }

  /** The home was removed: what it claimed is void. */
  forget(home: number): void {
    this.#homes.delete(home);
  }

  #hear(bytes: Uint8Array, address: string, port: number): void {
    const probe = decodeMessage(bytes);
    const sender = this.#senderOf(address);
    if (probe?.type !== "probe" || sender === undefined || probe.lane !== sender.lane) return;
    const home = this.#homes.get(sender.home) ?? { state: noClaim, heard: new Map<number, number>() };
    this.#homes.set(sender.home, home);
    home.heard.set(sender.lane, this.#host.clock.monotonic());
    const before = routed(home.state.claim);
    const answer = hearProbe(home.state, probe, sender.lane, toHex(this.#host.random(8)));
    home.state = answer.state;
    const token = answer.reply === "challenge" ? answer.token : probe.token;
    const twice = answer.state.claim?.twice ?? false;
    const reply = encodeMessage({ ...probe, type: answer.reply, token, twice }, bytes.length);
    this.#socket?.send(reply, address, port).catch(() => undefined);
    if (routed(home.state.claim) !== before) this.#onChange();
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
  return lanes.map((lane) => ({ lane, mtu: claim.mtus.get(lane) ?? LANE_MTU }));
}

/** What of a claim decides the routes. */
const routed = (claim: Claim | undefined): string =>
  liveLanesOf(claim)
    .map(({ lane, mtu }) => `${lane}/${mtu}`)
    .join(" ");
