import type { Host } from "../host/types.ts";
import { totalMemory } from "../plan/tcp-buffers.ts";

/** The machine's memory, bytes. */
export async function machineMemory(host: Host): Promise<number> {
  return totalMemory(new TextDecoder().decode(await host.files.read("/proc/meminfo")));
}
