/** TCP's buffers that MPTCP over several lines needs, as the sysctls `tcp_rmem` and `tcp_wmem`: three numbers of bytes. */

const KILOBYTE = 1024;
const MEGABYTE = 1024 * 1024;
const LEAST = 4096;
/** A receive buffer may take this share of the memory, between these bounds. */
const SHARE = 8;
const FEWEST = 8 * MEGABYTE;
const MOST = 32 * MEGABYTE;
/** What a receive buffer may begin with, at the most, and at the least. */
const FIRST = 16 * MEGABYTE;
const FIRST_LEAST = 4 * MEGABYTE;
/** At the relay the downloads' exits have the same buffers, and servers fill them: each begins with this share of the memory. */
const RELAY_SHARE = 256;
/** What a subflow may hold at the most; at the least, and while nothing is known of the lanes. */
const SUBFLOW_MOST = 4 * MEGABYTE;
const RESERVED = { least: 96 * KILOBYTE, usual: 192 * KILOBYTE };
const ALONE = { least: 256 * KILOBYTE, usual: 448 * KILOBYTE };
/** What a connection may hold beyond what its subflows hold: what came out of order is waited for there. */
const RESERVE = 4 * MEGABYTE;
/** What of it may be unsent. */
const UNSENT = 64 * KILOBYTE;
/** The first long-term kernel whose MPTCP heeds `tcp_notsent_lowat` (net/mptcp/protocol.c, mptcp_send_limit): major and minor. */
const HEEDS_UNSENT = [6, 12] as const;

/** What a subflow should be able to hold to send, bytes; 0: nothing is known. */
export interface SendNeed {
  /** Where its connection has a reserve. */
  readonly reserved: number;
  /** Where a connection holds no more than its subflows do. */
  readonly alone: number;
}

/** What may be held to send. */
export interface SendLimit {
  /** By one subflow, bytes. */
  readonly subflow: number;
  /** Whether a connection may hold more than its subflows do. */
  readonly reserve: boolean;
}

/** Whether a kernel of this release (`6.12.47`) can hold a {@link SendLimit.reserve} for a connection without taking small answers in at once. */
export function holdsReserve(release: string): boolean {
  const [major = 0, minor = 0] = release.split(".").map((part) => Number.parseInt(part, 10));
  return major > HEEDS_UNSENT[0] || (major === HEEDS_UNSENT[0] && minor >= HEEDS_UNSENT[1]);
}

/** What a subflow may hold to send when the lanes need so much. */
export function sendLimit({ reserved, alone }: SendNeed, reserve: boolean): SendLimit {
  const need = reserve ? reserved : alone;
  const { least, usual } = reserve ? RESERVED : ALONE;
  return { subflow: need === 0 ? usual : Math.max(least, Math.min(SUBFLOW_MOST, need)), reserve };
}

/**
 * `tcp_rmem` for a machine with this much memory (bytes).
 *
 * A receive buffer holds what the quick lanes bring while the slow ones are awaited. It must also never be the limit: on Linux 6.18 a
 * sender runs over the edge of an MPTCP window that is closing or still small, what is beyond is dropped though the subflow has
 * acknowledged it (MPTcpExtNoDSSInWindow), and comes again only by MPTCP's own timer, one piece at a time. Downloads that stood still
 * for seconds in their first six: from the usual 131072, some four of ten; from 4 MB, three of twenty-six; from 16 MB none of twenty-eight.
 */
export function receiveBuffer(memory: number, role: "home" | "relay"): string {
  const most = Math.max(FEWEST, Math.min(MOST, megabytes(memory / SHARE)));
  const wanted = role === "home" ? most : megabytes(memory / RELAY_SHARE);
  const first = Math.max(FIRST_LEAST, Math.min(FIRST, wanted));
  return `${LEAST} ${first} ${most}`;
}

/**
 * `tcp_wmem` for this limit.
 *
 * A send buffer is what a fall of a lane waits for: what was lost with it is sent again behind all that the other subflows have queued.
 * So a subflow's is as small as the lines let it be. A connection's is the sum of its subflows' and of the first number
 * (net/mptcp/protocol.h, __mptcp_sync_sndbuf), the reserve, and it also holds what came out of order. On four lanes, when the fastest was
 * cut, its interface went down, all but the slowest were cut (ms without a byte): 4 MB for each subflow, 320 to 500, 230, 340; 448 kB,
 * 170 to 270, 55 to 141, 250 to 650; with a reserve 192 kB, 106 to 216, 36 to 80, 227 to 409.
 */
export const sendBuffer = ({ subflow, reserve }: SendLimit): string => `${reserve ? RESERVE : LEAST} 16384 ${subflow}`;

/**
 * `tcp_notsent_lowat` for this limit; undefined: as it is. Without it a reserve takes whatever is smaller in at once; who sent it closes,
 * and a connection that is closing is joined by no other lane (net/mptcp/subflow.c). MPTCP heeds it for a connection, not for its subflows.
 */
export const unsentLimit = ({ reserve }: SendLimit): string | undefined => (reserve ? String(UNSENT) : undefined);

const megabytes = (bytes: number): number => Math.floor(bytes / MEGABYTE) * MEGABYTE;
