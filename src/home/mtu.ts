/** Search for the largest packet that a lane passes. Bytes, of the lane's device. */
export interface MtuSearch {
  readonly mtu: number;
  /** Full-size probes sent at this size without an answer. */
  readonly tries: number;
  readonly proven: boolean;
}

/** Every IPv4 host must take 576 bytes (RFC 791); below the lane is of no use. */
export const LEAST_MTU = 576;
export const DEFAULT_MTU = 1400;
const STEP = 60;
const TRIES = 3;

export function beginSearch(most: number): MtuSearch {
  return { mtu: most, tries: 0, proven: false };
}

/**
 * The search after one full-size probe was sent or answered, while small ones come back. After three that stayed away the next smaller
 * size is tried.
 */
export function stepSearch(search: MtuSearch, event: "sent" | "answered"): MtuSearch {
  if (event === "answered") return search.proven && search.tries === 0 ? search : { mtu: search.mtu, tries: 0, proven: true };
  if (search.tries < TRIES) return { ...search, tries: search.tries + 1 };
  return { mtu: Math.max(LEAST_MTU, search.mtu - STEP), tries: 1, proven: false };
}

/** IPv4 and UDP headers, bytes. */
export const HEADERS = 28;

/** Size of the probe datagram that fills a packet of this MTU. */
export function fullSize(mtu: number): number {
  return mtu - HEADERS;
}
