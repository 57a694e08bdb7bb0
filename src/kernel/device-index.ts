import type { Host } from "../host/types.ts";

/** The kernel's number of a device, never used twice; undefined if there is no such device. */
export async function deviceIndex(host: Host, name: string): Promise<number | undefined> {
  try {
    return Number(new TextDecoder().decode(await host.files.read(`/sys/class/net/${name}/ifindex`)).trim());
  } catch {
    return undefined;
  }
}
