/** TCP's buffers that MPTCP over several lines needs, as sysctls: `least default most`, bytes. */
export interface TcpBuffers {
  readonly receive: string;
  readonly send: string;
}

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

/**
 * The buffers for a machine with this much memory (bytes).
 *
 * A receive buffer holds what the quick lanes bring while the slow ones are awaited. It must also never be the limit: on Linux 6.18 a
 * sender runs over the edge of an MPTCP window that is closing or still small, what is beyond is dropped though the subflow has
 * acknowledged it (MPTcpExtNoDSSInWindow), and comes again only by MPTCP's own timer, one piece at a time. Downloads that stood still
 * for seconds in their first six: from the usual 131072, some four of ten; from 4 MB, three of twenty-six; from 16 MB none of twenty-eight.
 */
export function tcpBuffers(memory: number, role: "home" | "relay"): TcpBuffers {
  const most = Math.max(FEWEST, Math.min(MOST, megabytes(memory / SHARE)));
  const wanted = role === "home" ? most : megabytes(memory / RELAY_SHARE);
  const first = Math.max(FIRST_LEAST, Math.min(FIRST, wanted));
  return { receive: `${LEAST} ${first} ${most}`, send: `${LEAST} 16384 ${4 * MEGABYTE}` };
}

const megabytes = (bytes: number): number => Math.floor(bytes / MEGABYTE) * MEGABYTE;
