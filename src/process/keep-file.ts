import type { Host } from "../host/types.ts";

/** Replaces a file unless these bytes are in it already: what is right needs no room on a full disk. Answers whether it did. Rejects with HostError. */
export async function keepFile(host: Host, path: string, text: string, mode: number): Promise<boolean> {
  const bytes = new TextEncoder().encode(text);
  const former = await host.files.read(path).catch(() => undefined);
  if (former?.length === bytes.length && former.every((byte, index) => byte === bytes[index])) return false;
  await host.files.replace(path, bytes, mode);
  return true;
}
