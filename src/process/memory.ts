import type { Host } from "../host/types.ts";

/** Total memory in bytes, from the text of /proc/meminfo (proc(5)); 128 MiB if it doesn't say. */
export function totalMemory(meminfo: string): number {
  const match = /^MemTotal:\s+([0-9]+) kB$/m.exec(meminfo);
  return match === null ? 128 * 1024 * 1024 : Number(match[1]) * 1024;
}

/** The machine's memory, bytes. */
export async function machineMemory(host: Host): Promise<number> {
  return totalMemory(new TextDecoder().decode(await host.files.read("/proc/meminfo")));
}
