import type { Host, UdpSocket } from "../host/types.ts";
import { decodeMessage, encodeMessage, HEADER_SIZE, type LinkMessage, NO_TOKEN } from "../link/message.ts";
import { addLoss, addSample, type RoundTrip } from "../link/round-trip.ts";
import { PORT_PROBE } from "../plan/numbers.ts";
import { beginSearch, fullSize, type MtuSearch, stepSearch } from "./mtu.ts";

/** What every lane's probes share: who this daemon is, its counter, and which lanes it claims are live. */
export interface ProbeIdentity {
  readonly boot: string;
  nextCounter(): number;
  /** Bit i: lane i is live. */
  live(): number;
}

export interface ProbeOptions {
  readonly lane: number;
  readonly address: string;
  readonly service: string;
  readonly mtu: number;
  /** Called after anything came in by a probe. */
  readonly onHeard: () => void;
}

/** A probe older than this (ms) is lost, whatever the lane's round trip. */
const LOST_AFTER = 10_000;

/** The probes of one lane: sends them, and keeps what their echoes show. */
export class LaneProbe {
  roundTrip: RoundTrip | undefined;
  loss = 0;
  search: MtuSearch;
  twice = false;
  lastHeard: number | undefined;
  lastSent = Number.NEGATIVE_INFINITY;
  readonly #host: Host;
  readonly #identity: ProbeIdentity;
  readonly #options: ProbeOptions;
  /** Counter to time of sending, of those without an answer. */
  readonly #open = new Map<number, number>();
  #unanswered: { since: number; count: number } | undefined;
  #socket: UdpSocket | undefined;
  #token = NO_TOKEN;
  /** When the last large probe was sent, monotonic ms. */
  #lastFull = Number.NEGATIVE_INFINITY;

  constructor(host: Host, identity: ProbeIdentity, options: ProbeOptions) {
    this.#host = host;
    this.#identity = identity;
    this.#options = options;
    this.search = beginSearch(options.mtu);
  }

  get unansweredSince(): number | undefined {
    return this.#unanswered?.since;
  }

  get unanswered(): number {
    return this.#unanswered?.count ?? 0;
  }

  /** The lane was down: its packets may have another way, and so another largest size, when it is back. */
  restartSearch(): void {
    this.search = beginSearch(this.#options.mtu);
  }

  /** Bytes came in by the lane: as good as an echo. */
  heard(now: number): void {
    this.lastHeard = now;
    this.#unanswered = undefined;
  }

  /** Sends a probe, small or as large as the lane's MTU. A lane that can't send now counts as one that doesn't answer. */
  async send(size: "small" | "full"): Promise<void> {
    const now = this.#host.clock.monotonic();
    this.lastSent = now;
    if (size === "full") {
      // One that stays away says something of its size only while anything comes back at all.
      if (this.lastHeard !== undefined && this.lastHeard >= this.#lastFull) this.search = stepSearch(this.search, "sent");
      this.#lastFull = now;
    }
    this.#unanswered = { since: this.#unanswered?.since ?? now, count: this.unanswered + 1 };
    const counter = this.#identity.nextCounter();
    this.#forgetLost(now);
    this.#open.set(counter, now);
    const message: LinkMessage = {
      type: "probe",
      lane: this.#options.lane,
      live: this.#identity.live(),
      boot: this.#identity.boot,
      counter,
      sent: Math.floor(now) % 2 ** 32,
      token: this.#token,
      mtu: this.search.mtu,
      twice: false,
    };
    const bytes = encodeMessage(message, size === "full" ? fullSize(this.search.mtu) : HEADER_SIZE);
    try {
      this.#socket ??= await this.#host.sockets.bindUdp(this.#options.address, 0, (datagram) => {
        this.#receive(datagram.bytes, datagram.address);
      });
      await this.#socket.send(bytes, this.#options.service, PORT_PROBE);
    } catch {
      // The address may be missing for a moment, or the tun without a carrier: silence says it all.
    }
  }

  close(): void {
    this.#socket?.close();
    this.#socket = undefined;
  }

  #receive(bytes: Uint8Array, from: string): void {
    const message = decodeMessage(bytes);
    if (message === undefined || from !== this.#options.service || message.boot !== this.#identity.boot) return;
    const sent = this.#open.get(message.counter);
    if (sent === undefined || message.lane !== this.#options.lane) return;
    this.#open.delete(message.counter);
    const now = this.#host.clock.monotonic();
    this.heard(now);
    this.roundTrip = addSample(this.roundTrip, now - sent);
    this.loss = addLoss(this.loss, false);
    if (bytes.length >= fullSize(this.search.mtu)) this.search = stepSearch(this.search, "answered");
    switch (message.type) {
      case "echo":
        this.#token = NO_TOKEN;
        this.twice = message.twice;
        break;
      case "challenge":
        this.#token = message.token;
        void this.send("small");
        break;
      case "probe":
        break;
    }
    this.#options.onHeard();
  }

  #forgetLost(now: number): void {
    for (const [counter, sent] of this.#open) {
      if (now - sent < LOST_AFTER) continue;
      this.#open.delete(counter);
      this.loss = addLoss(this.loss, true);
    }
  }
}
