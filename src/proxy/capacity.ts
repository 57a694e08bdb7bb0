import type { Host } from "../host/types.ts";
import { machineMemory } from "../process/memory.ts";

/** Bytes that one carried connection may cost: HAProxy's two buffers and two sockets' least. */
const PER_CONNECTION = 64 * 1024;
/** Descriptors that one carried connection may cost: two sockets, and a pipe to splice through for some. */
const DESCRIPTORS = 3;
/** Descriptors that HAProxy needs for itself. */
const OWN_DESCRIPTORS = 128;
const LEAST = 256;
const MOST = 20_000;

/**
 * How many connections HAProxy takes at a time: a quarter of the machine's memory (bytes), and no more than its descriptors allow.
 * Beyond it connections are refused, which a household survives; running out of memory it would not.
 */
export function maximumConnections(memory: number, descriptors: number): number {
  const byMemory = Math.max(LEAST, Math.floor(memory / 4 / PER_CONNECTION));
  return Math.max(1, Math.min(MOST, byMemory, Math.floor((descriptors - OWN_DESCRIPTORS) / DESCRIPTORS)));
}

/** The most descriptors that a process may have, from the text of /proc/self/limits; 4096 if it doesn't say. */
export function descriptorLimit(limits: string): number {
  const match = /^Max open files\s+\S+\s+([0-9]+)/m.exec(limits);
  return match === null ? 4096 : Number(match[1]);
}

/** {@link maximumConnections} of this machine. */
export async function machineCapacity(host: Host): Promise<number> {
  const text = async (path: string): Promise<string> => new TextDecoder().decode(await host.files.read(path));
  return maximumConnections(await machineMemory(host), descriptorLimit(await text("/proc/self/limits")));
}
