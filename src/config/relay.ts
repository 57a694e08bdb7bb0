import { formatPrefix, overlap } from "../plan/addresses.ts";
import { DEFAULT_ALIAS_PREFIX, DEFAULT_BASE_PORT, DEFAULT_LANE_PREFIX, MAX_GATEWAY, MIN_GATEWAY } from "../plan/numbers.ts";
import { OwnPrefixes } from "./own-prefixes.ts";
import { type ConfigResult, mainReader, readersOf, readFile } from "./read-file.ts";
import { basePort } from "./relay-section.ts";
import type { RelayConfig } from "./relay-types.ts";
import { boolean, congestion, device, hostAddress, hostPrefix, integer, knownPrefix, relayName } from "./rules.ts";
import type { SectionReader } from "./section-reader.ts";

const aliasPrefix = knownPrefix(DEFAULT_ALIAS_PREFIX);

export const defaultRelay: RelayConfig = {
  enabled: true,
  name: "relay",
  addresses: [],
  port: DEFAULT_BASE_PORT,
  prefix: knownPrefix(DEFAULT_LANE_PREFIX),
  lanes: 8,
  congestion: "cubic",
  connections: 4096,
  allowSmtp: false,
};

/** Reads a relay's own configuration, /etc/config/binder-relay, from the file's bytes. `file` is the name that errors give. */
export function parseRelayConfig(file: string, bytes: Uint8Array): ConfigResult<RelayConfig> {
  return readFile(file, bytes, (uci, errors) => {
    const reader = mainReader(readersOf(file, uci, errors, ["relay"])("relay"));
    return reader === undefined ? defaultRelay : readRelayMain(reader);
  });
}

function readRelayMain(reader: SectionReader): RelayConfig {
  const resolver = reader.optional("resolver", hostAddress);
  const uplink = reader.optional("device", device);
  const config: RelayConfig = {
    enabled: reader.value("enabled", boolean, defaultRelay.enabled),
    name: reader.value("name", relayName, defaultRelay.name),
    addresses: reader.list("address", hostAddress),
    port: reader.value("port", basePort, defaultRelay.port),
    // A /24 has blocks of /28: room for 13 homes.
    prefix: reader.value("prefix", hostPrefix(8, 24), defaultRelay.prefix),
    ...(resolver === undefined ? {} : { resolver }),
    lanes: reader.value("lanes", integer(MIN_GATEWAY, MAX_GATEWAY), defaultRelay.lanes),
    congestion: reader.value("congestion", congestion, defaultRelay.congestion),
    connections: reader.value("connections", integer(1, 1_000_000), defaultRelay.connections),
    allowSmtp: reader.value("allow_smtp", boolean, defaultRelay.allowSmtp),
    ...(uplink === undefined ? {} : { device: uplink }),
  };
  if (overlap(config.prefix, aliasPrefix)) reader.fail("prefix", `must not overlap ${formatPrefix(aliasPrefix)}, the aliases of homes`);
  const own = new OwnPrefixes(aliasPrefix, [config.prefix]);
  for (const address of config.addresses) own.refuseAddress(reader, "address", address);
  reader.finish();
  return config;
}
