import { hexOf } from "../plan/hex.ts";
import type { SendNeed } from "../plan/tcp-buffers.ts";

/**
 * What home and relay say to each other over a lane: UDP datagrams between the home's lane address and the relay's service address.
 *
 *     0   4  "BDR1"
 *     4   1  type: 1 probe (home to relay), 2 echo, 3 challenge (relay to home)
 *     5   1  lane, 1 to 15
 *     6   2  live: bit i set, lane i is live (the home's claim)
 *     8   8  boot: the home's daemon, random
 *    16   4  counter: grows with every probe of this boot, over all lanes
 *    20   4  sent: the home's clock, ms; the relay gives it back
 *    24   8  token: of the relay's last challenge; zero if none
 *    32   2  mtu: of the lane's device at home, bytes
 *    34   2  flags of the relay's: bit 0, it hears two homes with this identity; bit i, lane i's server is new there, and knows
 *           no session of before
 *    36   4  what a subflow from the relay should be able to hold where its connection has a reserve, bytes; 0: not known
 *    40   4  the same where it has none (plan/tcp-buffers.ts)
 *    44   2  window: what a subflow from the relay may send at once by this lane when it begins, packets; 0: what is usual
 *    46      zeros up to the size that is to be tried
 *
 * Integers are big-endian. Who sends is told by the source address alone, which OpenVPN enforces; nothing in the message is believed
 * about it. A claim counts only with a known boot and a counter higher than the last (relay/claims.ts).
 */

export type LinkMessageType = "probe" | "echo" | "challenge";

export interface LinkMessage {
  readonly type: LinkMessageType;
  readonly lane: number;
  /** Bit i: lane i. */
  readonly live: number;
  /** 16 hexadecimal digits. */
  readonly boot: string;
  readonly counter: number;
  readonly sent: number;
  /** 16 hexadecimal digits; all 0: none. */
  readonly token: string;
  readonly mtu: number;
  /** The relay hears two homes with this identity: one invite is in use twice. */
  readonly twice: boolean;
  /** Bit i: lane i's server was started lately at the relay, and has no session of before. */
  readonly restarted: number;
  /** What the home's lanes need a subflow from the relay to hold. */
  readonly need: SendNeed;
  /** What a subflow from the relay may send at once by this lane when it begins, packets; 0: what is usual. */
  readonly window: number;
}

export const HEADER_SIZE = 48;
export const NO_TOKEN = "0000000000000000";

const MAGIC = 0x42445231;
const types: readonly LinkMessageType[] = ["probe", "echo", "challenge"];

/** The datagram, padded with zeros to `size` bytes (at least the header's 48). */
export function encodeMessage(message: LinkMessage, size: number): Uint8Array {
  const bytes = new Uint8Array(Math.max(HEADER_SIZE, size));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC);
  view.setUint8(4, types.indexOf(message.type) + 1);
  view.setUint8(5, message.lane);
  view.setUint16(6, message.live);
  bytes.set(fromHex(message.boot), 8);
  view.setUint32(16, message.counter);
  view.setUint32(20, message.sent);
  bytes.set(fromHex(message.token), 24);
  view.setUint16(32, message.mtu);
  view.setUint16(34, (message.twice ? 1 : 0) | (message.restarted & 0xfffe));
  view.setUint32(36, message.need.reserved);
  view.setUint32(40, message.need.alone);
  view.setUint16(44, message.window);
  return bytes;
}

/** The message in a datagram; undefined if it is none. */
export function decodeMessage(bytes: Uint8Array): LinkMessage | undefined {
  if (bytes.length < HEADER_SIZE) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const type = types[view.getUint8(4) - 1];
  const lane = view.getUint8(5);
  if (view.getUint32(0) !== MAGIC || type === undefined || lane < 1 || lane > 15) return undefined;
  return {
    type,
    lane,
    live: view.getUint16(6),
    boot: hexOf(bytes.subarray(8, 16)),
    counter: view.getUint32(16),
    sent: view.getUint32(20),
    token: hexOf(bytes.subarray(24, 32)),
    mtu: view.getUint16(32),
    twice: (view.getUint16(34) & 1) === 1,
    restarted: view.getUint16(34) & 0xfffe,
    need: { reserved: view.getUint32(36), alone: view.getUint32(40) },
    window: view.getUint16(44),
  };
}

function fromHex(text: string): Uint8Array {
  if (!/^[0-9a-f]{16}$/.test(text)) throw new RangeError(`"${text}" is not 16 hexadecimal digits`);
  return Uint8Array.from({ length: 8 }, (_, index) => Number.parseInt(text.slice(index * 2, index * 2 + 2), 16));
}
