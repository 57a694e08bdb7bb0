import { formatPrefix, overlap, type Prefix } from "../plan/addresses.ts";
import { DEFAULT_ALIAS_PREFIX } from "../plan/numbers.ts";
import { boolean, choice, congestion, hostPrefix, knownPrefix, type Rule } from "./rules.ts";
import type { SectionReader } from "./section-reader.ts";
import type { MainSection } from "./types.ts";

const transports = choice("auto", "proxy", "tunnel");
const logLevels = choice("error", "warning", "info", "debug");
/** With room for 15 gateways. */
const aliasPrefixes = hostPrefix(8, 28);
const ipv6Ways: Rule<"leave" | "off" | "carry"> = { ...choice("leave", "off", "carry"), must: "must be leave or off" };

export const defaultMain: MainSection = {
  enabled: true,
  transport: "auto",
  ipv6: "leave",
  congestion: "cubic",
  aliasPrefix: knownPrefix(DEFAULT_ALIAS_PREFIX),
  logLevel: "info",
};

/** `config binder 'main'`; all of it by default if there is none. */
export function readMain(reader: SectionReader | undefined, lanePrefixes: readonly Prefix[]): MainSection {
  if (reader === undefined) return defaultMain;
  const ipv6 = reader.value("ipv6", ipv6Ways, defaultMain.ipv6);
  if (ipv6 === "carry") reader.fail("ipv6", "is not built yet: use leave or off");
  const main: MainSection = {
    enabled: reader.value("enabled", boolean, defaultMain.enabled),
    transport: reader.value("transport", transports, defaultMain.transport),
    ipv6: ipv6 === "carry" ? defaultMain.ipv6 : ipv6,
    congestion: reader.value("congestion", congestion, defaultMain.congestion),
    aliasPrefix: reader.value("alias_prefix", aliasPrefixes, defaultMain.aliasPrefix),
    logLevel: reader.value("log_level", logLevels, defaultMain.logLevel),
  };
  for (const lanes of lanePrefixes) {
    if (overlap(main.aliasPrefix, lanes)) reader.fail("alias_prefix", `must not overlap the lanes' prefix, ${formatPrefix(lanes)}`);
  }
  reader.finish();
  return main;
}
