import { DEFAULT_BASE_PORT, MAX_GATEWAY } from "../plan/numbers.ts";
import type { OwnPrefixes } from "./own-prefixes.ts";
import { boolean, hostAddress, integer, relayName } from "./rules.ts";
import type { SectionReader } from "./section-reader.ts";
import type { RelaySection } from "./types.ts";

/** A base port: lanes use the 15 after it. */
export const basePort = integer(1, 65535 - MAX_GATEWAY);
export const relayPriority = integer(1, 255);

/** `config relay 'NAME'` of a home. */
export function readRelay(reader: SectionReader, own: OwnPrefixes): RelaySection | undefined {
  const addresses = reader.list("address", hostAddress);
  for (const address of addresses) own.refuseAddress(reader, "address", address);
  const relay: RelaySection = {
    name: reader.name,
    enabled: reader.value("enabled", boolean, true),
    addresses,
    port: reader.value("port", basePort, DEFAULT_BASE_PORT),
    priority: reader.value("priority", relayPriority, 1),
  };
  reader.finish();
  if (!reader.section.anonymous && relayName.parse(reader.name) === undefined)
    reader.fail("", relayName.must.replace("must be", "must have"));
  if (!reader.has("address")) reader.fail("", "must have an address: list address 'IPV4'");
  return addresses.length === 0 ? undefined : relay;
}
