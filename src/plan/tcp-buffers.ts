/** TCP's buffers that MPTCP over several lines needs, as sysctls: `least default most`, bytes. */
export interface TcpBuffers {
  readonly receive: string;
  readonly send: string;
}

const MEGABYTE = 1024 * 1024;
const LEAST = 4096;
/** What a receive buffer begins with. */
const FIRST = 4 * MEGABYTE;
/** A receive buffer may take this share of the memory, between these bounds. */
const SHARE = 8;
const FEWEST = 8 * MEGABYTE;
const MOST = 32 * MEGABYTE;

/**
 * The buffers for a machine with this much memory (bytes).
 *
 * A receive buffer holds what the quick lanes bring while the slow ones are awaited. It must also never be the limit: on Linux 6.18 a
 * sender runs over the edge of an MPTCP window that is closing or still small, what is beyond is dropped though the subflow has
 * acknowledged it (MPTcpExtNoDSSInWindow), and comes again only by MPTCP's own timer, one piece at a time. From the usual 131072 and
 * 8 MB some four of ten downloads stood still for seconds in their first six; from 4 MB and 32 MB one of twelve.
 */
export function tcpBuffers(memory: number): TcpBuffers {
  const most = Math.max(FEWEST, Math.min(MOST, Math.floor(memory / SHARE / MEGABYTE) * MEGABYTE));
  return { receive: `${LEAST} ${FIRST} ${most}`, send: `${LEAST} 16384 ${4 * MEGABYTE}` };
}

/** Total memory in bytes, from the text of /proc/meminfo (proc(5)); 128 MiB if it doesn't say. */
export function totalMemory(meminfo: string): number {
  const match = /^MemTotal:\s+([0-9]+) kB$/m.exec(meminfo);
  return match === null ? 128 * MEGABYTE : Number(match[1]) * 1024;
}
