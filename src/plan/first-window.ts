/** Bytes of a full packet of a lane, less its headers. */
const PACKET = 1340;
/** Of what the lane carries in a round trip, so much is sent at once. */
const SHARE = 1 / 2;
/** With less than this (packets) the kernel's own ten do as well (RFC 6928), and small downloads are not drawn to slow lines. */
const LEAST = 32;
export const MOST_WINDOW = 128;

/**
 * What a subflow may send at once when it begins, packets, by a lane that carries so many bytes in a round trip; 0: what is usual. A
 * power of two, so that it seldom changes. A lane that is far and fast would otherwise need many round trips to be used after it is back.
 */
export function firstWindow(bytes: number): number {
  const packets = (bytes * SHARE) / PACKET;
  return packets < LEAST ? 0 : Math.min(MOST_WINDOW, 2 ** Math.floor(Math.log2(packets)));
}
