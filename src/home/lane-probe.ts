import type { Host, UdpSocket } from "../host/types.ts";
import { decodeMessage, encodeMessage, HEADER_SIZE, type LinkMessage, NO_TOKEN } from "../link/message.ts";
import { LossWindow, type ProbeKind } from "../link/loss-window.ts";
import { addSample, lateAfter, type RoundTrip } from "../link/round-trip.ts";
import { UsualDelay } from "../link/usual-delay.ts";
import { PORT_PROBE } from "../plan/numbers.ts";
import type { SendNeed } from "../plan/tcp-buffers.ts";
import { beginSearch, fullSize, HEADERS, type MtuSearch, stepSearch } from "./mtu.ts";

/** What every lane's probes share: who this daemon is, its counter, and which lanes it claims are live. */
export interface ProbeIdentity {
  readonly boot: string;
  nextCounter(): number;
  /** Bit i: lane i is live. */
  live(): number;
  /** What the lanes need a subflow from the relay to hold. */
  need(): SendNeed;
}

export interface ProbeOptions {
  readonly lane: number;
  readonly address: string;
  readonly service: string;
  readonly mtu: number;
  /** What a subflow from the relay may send at once by the lane when it begins, packets; 0: what is usual. */
  readonly window: () => number;
  /** Whether traffic goes by the lane: what queues then is no fault of the line. */
  readonly loaded: () => boolean;
  /** Whether the lane is taken for dead: a probe that stays away then says nothing of how it will be. */
  readonly dead: () => boolean;
  /** Called with the relay's word on which lanes' servers were started lately (bit i: lane i). */
  readonly onRestarted: (lanes: number) => void;
  /** Called after anything came in by a probe. */
  readonly onHeard: () => void;
}

/** A probe is lost when it is this much later (ms) than it should be. */
const LOST_MARGIN = 200;
/** Probes that are closer together (ms) than this meet the same moment of the line: one of them tells its loss. */
const APART = 45;
/** Of a lane that has been dead for long the oldest is enough. */
const MOST_UNECHOED = 64;

/** The probes of one lane: sends them, and keeps what their echoes show. */
export class LaneProbe {
  roundTrip: RoundTrip | undefined;
  readonly losses = new LossWindow();
  readonly usual = new UsualDelay();
  search: MtuSearch;
  twice = false;
  lastHeard: number | undefined;
  /** When the first probe was sent, monotonic ms. */
  since = Number.POSITIVE_INFINITY;
  lastSent = Number.NEGATIVE_INFINITY;
  /** All that was sent by probes, with their headers, bytes. */
  sentBytes = 0;
  readonly #host: Host;
  readonly #identity: ProbeIdentity;
  readonly #options: ProbeOptions;
  #unanswered: { since: number; count: number } | undefined;
  /** When the probes were sent that no echo has come after, oldest first. */
  readonly #unechoed: number[] = [];
  #socket: UdpSocket | undefined;
  #token = NO_TOKEN;
  /** When the last large probe was sent, and the last that tells the loss, monotonic ms. */
  #lastFull = Number.NEGATIVE_INFINITY;
  #lastCounted = Number.NEGATIVE_INFINITY;

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

  get unechoedSince(): number | undefined {
    return this.#unechoed[0];
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
    this.since = Math.min(this.since, now);
    if (size === "full") {
      // One that stays away says something of its size only while anything comes back at all.
      if (this.lastHeard !== undefined && this.lastHeard >= this.#lastFull) this.search = stepSearch(this.search, "sent");
      this.#lastFull = now;
    }
    this.#unanswered = { since: this.#unanswered?.since ?? now, count: this.unanswered + 1 };
    if (this.#unechoed.length < MOST_UNECHOED) this.#unechoed.push(now);
    const counter = this.#identity.nextCounter();
    this.losses.judge(now - lateAfter(this.roundTrip) - LOST_MARGIN);
    this.losses.sent(counter, now, this.#kindOf(size, now));
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
      restarted: 0,
      need: this.#identity.need(),
      window: this.#options.window(),
    };
    const bytes = encodeMessage(message, size === "full" ? fullSize(this.search.mtu) : HEADER_SIZE);
    this.sentBytes += bytes.length + HEADERS;
    try {
      this.#socket ??= await this.#host.sockets.bindUdp(this.#options.address, 0, (datagram) => {
        this.#receive(datagram.bytes, datagram.address);
      });
      await this.#socket.send(bytes, this.#options.service, PORT_PROBE);
    } catch {
      // The address may be missing for a moment, or the tun without a carrier: silence says it all.
    }
  }

  /** What the probe that is sent now says of the line's loss. */
  #kindOf(size: "small" | "full", now: number): ProbeKind {
    if (size === "full" || this.#options.dead()) return "excused";
    if (now - this.#lastCounted < APART) return "extra";
    this.#lastCounted = now;
    return "counted";
  }

  close(): void {
    this.#socket?.close();
    this.#socket = undefined;
  }

  #receive(bytes: Uint8Array, from: string): void {
    const message = decodeMessage(bytes);
    if (message === undefined || from !== this.#options.service || message.boot !== this.#identity.boot) return;
    if (message.lane !== this.#options.lane) return;
    const sent = this.losses.answered(message.counter);
    if (sent === undefined) return;
    const now = this.#host.clock.monotonic();
    this.heard(now);
    while ((this.#unechoed[0] ?? Number.POSITIVE_INFINITY) <= sent) this.#unechoed.shift();
    this.roundTrip = addSample(this.roundTrip, now - sent);
    this.usual.add(now, now - sent, this.#options.loaded());
    if (bytes.length >= fullSize(this.search.mtu)) this.search = stepSearch(this.search, "answered");
    switch (message.type) {
      case "echo":
        this.#token = NO_TOKEN;
        this.twice = message.twice;
        this.#options.onRestarted(message.restarted);
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
}
