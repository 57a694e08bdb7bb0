import type { Host } from "../host/types.ts";

/** The release of the running kernel, `6.12.47`; empty if it does not say. */
export async function kernelRelease(host: Host): Promise<string> {
  const path = "/proc/sys/kernel/osrelease";
  return (await host.files.status(path)) === undefined ? "" : new TextDecoder().decode(await host.files.read(path)).trim();
}
