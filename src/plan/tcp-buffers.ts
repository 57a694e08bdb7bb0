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
/** What a subflow may hold at the least, at the most, and while nothing is known of the lanes. */
const SUBFLOW_LEAST = 256 * KILOBYTE;
const SUBFLOW_MOST = 4 * MEGABYTE;
const SUBFLOW_USUAL = 448 * KILOBYTE;

/** What a subflow may hold to send when the lanes need so much (bytes; 0: nothing is known of them). */
export const subflowLimit = (need: number): number => (need === 0 ? SUBFLOW_USUAL : Math.max(SUBFLOW_LEAST, Math.min(SUBFLOW_MOST, need)));

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
 * `tcp_wmem` where a subflow may hold `limit` (bytes).
 *
 * A send buffer is what a fall of a lane waits for: what was lost with it is sent again behind all that the other subflows have queued.
 * So a subflow's is as small as the lines let it be: with 4 MB for each of four subflows a download stood still for 320 to 500 ms when
 * its fastest lane was cut, with 440 kB for 180 to 310, at 0.98 of the rate. A connection's is the sum of its subflows' and of the first
 * number (net/mptcp/protocol.h, __mptcp_sync_sndbuf). With that at 4 MB the subflows' could be 256 kB (130 to 280 ms, 0.97 of the rate);
 * but then whatever is smaller is taken in and closed at once, and a connection that is closing is joined by no other lane.
 */
export const sendBuffer = (limit: number): string => `${LEAST} 16384 ${limit}`;

const megabytes = (bytes: number): number => Math.floor(bytes / MEGABYTE) * MEGABYTE;
