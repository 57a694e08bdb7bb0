/**
 * The decision about a connection, kept in six bits of its connection mark: kind in bits 28 and 29, gateway number in bits 24 to 27.
 * Clear of mwan3's 0x3f00 and of pbr's and Tailscale's 0xff0000.
 */

export const MARK_MASK = 0x3f000000;

export type Decision =
  | { readonly kind: "bypass" }
  | { readonly kind: "direct"; readonly gateway: number }
  | { readonly kind: "proxy" }
  | { readonly kind: "lane"; readonly gateway: number };

const PLAIN = 1;
const RELAYED = 2;

/** The mark's bits of a decision; never 0, which means undecided. */
export function markOf(decision: Decision): number {
  switch (decision.kind) {
    case "bypass":
      return PLAIN << 28;
    case "direct":
      return (PLAIN << 28) | (decision.gateway << 24);
    case "proxy":
      return RELAYED << 28;
    case "lane":
      return (RELAYED << 28) | (decision.gateway << 24);
  }
}

/** Match of every relayed mark (proxy, lane), and of the route probe. */
export const MATCH_RELAYED = { value: 0x20000000, mask: 0x20000000 } as const;
/** Match of every plain mark (bypass, direct). */
export const MATCH_PLAIN = { value: 0x10000000, mask: 0x30000000 } as const;

/** Never a decision: a packet with this mark goes by the nearest lane, whatever its source address. */
export const MARK_NEAREST = (RELAYED | PLAIN) << 28;

/** Never a decision: with this mark the kernel is asked whether the main table has anything but a default route to a destination. */
export const MARK_ROUTE_PROBE = MARK_MASK;
