import type { Host } from "../host/types.ts";

/**
 * The data ciphers in order of preference: ChaCha20-Poly1305 first where the CPU has no AES instructions (on a 24Kc it is some three
 * times as fast). `cpuinfo` is the text of /proc/cpuinfo.
 */
export function dataCiphers(cpuinfo: string): readonly string[] {
  const hasAes = /^(flags|Features)\s*:.*\baes\b/m.test(cpuinfo);
  return hasAes ? ["AES-128-GCM", "CHACHA20-POLY1305"] : ["CHACHA20-POLY1305", "AES-128-GCM"];
}

export async function readDataCiphers(host: Host): Promise<readonly string[]> {
  return dataCiphers(new TextDecoder().decode(await host.files.read("/proc/cpuinfo")));
}
