import { device, network } from "./rules.ts";
import type { SectionReader } from "./section-reader.ts";
import type { LanSection } from "./types.ts";

/** `config lan 'NAME'`. */
export function readLan(reader: SectionReader): LanSection | undefined {
  const { name } = reader;
  const byDevice = reader.optional("device", device);
  const byNetwork = reader.optional("network", network);
  reader.finish();
  if (reader.has("device") === reader.has("network")) {
    reader.fail("", reader.has("device") ? "must have device or network, not both" : "must have device or network");
    return undefined;
  }
  if (byDevice !== undefined) return { name, device: byDevice };
  return byNetwork === undefined ? undefined : { name, network: byNetwork };
}
