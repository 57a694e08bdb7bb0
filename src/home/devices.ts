import type { Host } from "../host/types.ts";

/** IFF_UP (include/uapi/linux/if.h). */
const UP = 0x1;

/** Those of the devices that exist and are up. */
export async function devicesUp(host: Host, names: readonly string[]): Promise<ReadonlySet<string>> {
  const up = new Set<string>();
  for (const name of new Set(names)) {
    try {
      const flags = Number(new TextDecoder().decode(await host.files.read(`/sys/class/net/${name}/flags`)).trim());
      if ((flags & UP) !== 0) up.add(name);
    } catch {
      // Unplugged, or not made yet.
    }
  }
  return up;
}
