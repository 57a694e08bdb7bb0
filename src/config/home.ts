import type { Prefix } from "../plan/addresses.ts";
import { DEFAULT_LANE_PREFIX } from "../plan/numbers.ts";
import { readBypass } from "./bypass.ts";
import { checkDistinct } from "./distinct.ts";
import { checkGatewayCount, readGateway } from "./gateway.ts";
import { readLan } from "./lan.ts";
import { readMain } from "./main.ts";
import { OwnPrefixes } from "./own-prefixes.ts";
import { type ConfigResult, mainReader, readersOf, readFile } from "./read-file.ts";
import { readRelay } from "./relay-section.ts";
import { knownPrefix } from "./rules.ts";
import type { Config } from "./types.ts";

export interface HomeConfigOptions {
  /** The prefixes of the relays in use, as their invites name them. Default 198.19.0.0/16. */
  readonly lanePrefixes?: readonly Prefix[];
}

/** Reads a home's configuration, /etc/config/binder, from the file's bytes. `file` is the name that errors give. */
export function parseConfig(file: string, bytes: Uint8Array, options: HomeConfigOptions = {}): ConfigResult<Config> {
  return readFile(file, bytes, (uci, errors) => {
    const readers = readersOf(file, uci, errors, ["binder", "lan", "relay", "gateway", "bypass"]);
    const lanePrefixes = options.lanePrefixes ?? [knownPrefix(DEFAULT_LANE_PREFIX)];

    const mainSection = mainReader(readers("binder"));
    const main = readMain(mainSection, lanePrefixes);
    const own = new OwnPrefixes(main.aliasPrefix, lanePrefixes);

    const lans = readers("lan").map((reader) => ({ reader, section: readLan(reader) }));
    const relays = readers("relay").map((reader) => ({ reader, section: readRelay(reader, own) }));
    const gateways = readers("gateway").map((reader) => ({ reader, section: readGateway(reader, own) }));
    const names = new Set(gateways.map(({ reader }) => reader.name));
    const bypasses = readers("bypass").map((reader) => ({ reader, section: readBypass(reader, own, names) }));

    checkGatewayCount(readers("gateway"));
    checkDistinct({ lans, relays, gateways, bypasses });
    return {
      main,
      lans: found(lans),
      relays: found(relays).sort((a, b) => a.priority - b.priority),
      gateways: found(gateways),
      bypasses: found(bypasses),
    };
  });
}

function found<T>(read: readonly { readonly section: T | undefined }[]): T[] {
  return read.flatMap(({ section }) => (section === undefined ? [] : [section]));
}
