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

/** Whether the device, which is up, has a carrier: a cable, an association. One that doesn't know counts as having one. */
export async function hasCarrier(host: Host, name: string): Promise<boolean> {
  try {
    return new TextDecoder().decode(await host.files.read(`/sys/class/net/${name}/carrier`)).trim() !== "0";
  } catch {
    return true;
  }
}

/**
 * Those of the devices that drop a packet whose answer would go out elsewhere: `rp_filter` in force 1 or 2, which is the larger of the
 * device's and of `all`'s (Documentation/networking/ip-sysctl.rst).
 */
export async function filteringDevices(host: Host, names: readonly string[]): Promise<ReadonlySet<string>> {
  const filter = async (name: string): Promise<number> => {
    try {
      return Number(new TextDecoder().decode(await host.files.read(`/proc/sys/net/ipv4/conf/${name}/rp_filter`)).trim());
    } catch {
      return 0;
    }
  };
  if ((await filter("all")) > 0) return new Set(names);
  const found = new Set<string>();
  for (const name of new Set(names)) if ((await filter(name)) > 0) found.add(name);
  return found;
}
