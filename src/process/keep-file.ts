import type { Host } from "../host/types.ts";

/** Replaces a file unless these bytes are in it already: what is right needs no room on a full disk. Rejects with HostError. */
export async function keepFile(host: Host, path: string, text: string, mode: number): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  const former = await host.files.read(path).catch(() => undefined);
  if (former?.length === bytes.length && former.every((byte, index) => byte === bytes[index])) return;
  await host.files.replace(path, bytes, mode);
}
