/** Bytes that one carried connection may cost: HAProxy's two buffers and two sockets' least. */
const PER_CONNECTION = 64 * 1024;
const LEAST = 256;
const MOST = 20_000;

/**
 * How many connections HAProxy takes at a time, from the machine's memory (bytes): a quarter of it. Beyond it connections are refused,
 * which a household survives; running out of memory it would not.
 */
export function maximumConnections(memory: number): number {
  return Math.max(LEAST, Math.min(MOST, Math.floor(memory / 4 / PER_CONNECTION)));
}

/** Total memory in bytes, from the text of /proc/meminfo; 128 MiB if it doesn't say. */
export function totalMemory(meminfo: string): number {
  const match = /^MemTotal:\s+([0-9]+) kB$/m.exec(meminfo);
  return match === null ? 128 * 1024 * 1024 : Number(match[1]) * 1024;
}
