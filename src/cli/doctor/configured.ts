import { formatConfigError, parseConfig, parseRelayConfig } from "../../config/index.ts";
import { defaultMain } from "../../config/main.ts";
import { defaultRelay } from "../../config/relay.ts";
import type { RelayConfig } from "../../config/relay-types.ts";
import type { Config } from "../../config/types.ts";
import type { GivenFacts } from "../../doctor/gather.ts";
import type { ConfigFact } from "../../doctor/types.ts";
import { HOME_CONFIG } from "../../home/load.ts";
import { readMemberships } from "../../home/membership.ts";
import type { Host } from "../../host/types.ts";
import { formatPrefix, type Prefix } from "../../plan/addresses.ts";
import { RELAY_CONFIG } from "../../relay/paths.ts";
import { CommandError } from "../frame.ts";
import { findOverlap } from "../join/overlap.ts";

/** What the configurations of this machine, wrong ones too, say that the doctor should know. Without any it is taken for a home. */
export async function configuredFacts(host: Host, asRelay: boolean, signal: AbortSignal): Promise<Omit<GivenFacts, "running">> {
  const homeText = await readIfThere(host, HOME_CONFIG);
  const relayText = await readIfThere(host, RELAY_CONFIG);
  const configs: ConfigFact[] = [];
  const prefixes: Prefix[] = [];
  let home: Config | undefined;
  let relay: RelayConfig | undefined;
  if (homeText !== undefined) {
    const result = parseConfig(HOME_CONFIG, homeText);
    const errors = result.ok ? [] : result.errors.map(formatConfigError);
    if (result.ok) {
      home = result.config;
      prefixes.push(home.main.aliasPrefix);
      const { memberships, complaints } = await readMemberships(host, home.relays);
      prefixes.push(...memberships.map(({ lanePrefix }) => lanePrefix));
      errors.push(...complaints);
    }
    configs.push({ file: HOME_CONFIG, errors });
  }
  if (relayText !== undefined) {
    const result = parseRelayConfig(RELAY_CONFIG, relayText);
    if (result.ok) {
      relay = result.config;
      prefixes.push(relay.prefix);
    }
    configs.push({ file: RELAY_CONFIG, errors: result.ok ? [] : result.errors.map(formatConfigError) });
  }
  const isRelay = asRelay || relayText !== undefined;
  const isHome = homeText !== undefined || !isRelay;
  return {
    home: isHome,
    relay: isRelay,
    configs,
    wantedCongestion: [
      ...new Set([
        ...(isHome ? [home?.main.congestion ?? defaultMain.congestion] : []),
        ...(isRelay ? [relay?.congestion ?? defaultRelay.congestion] : []),
      ]),
    ],
    wantsDnsmasq: isRelay && relay?.resolver === undefined,
    overlaps: await overlaps(host, prefixes, signal),
    devices: [...(home === undefined ? [] : devicesOf(home)), ...(relay?.device === undefined ? [] : [relay.device])],
  };
}

async function readIfThere(host: Host, path: string): Promise<Uint8Array | undefined> {
  return (await host.files.status(path)) === undefined ? undefined : await host.files.read(path);
}

async function overlaps(host: Host, prefixes: readonly Prefix[], signal: AbortSignal): Promise<GivenFacts["overlaps"]> {
  const found: { readonly prefix: string; readonly route: string }[] = [];
  // Without ip there is nothing to compare with; the check of programs tells of that.
  if ((await host.processes.find("ip")) === undefined) return found;
  for (const prefix of prefixes) {
    try {
      const route = await findOverlap(host, prefix, signal);
      if (route !== undefined) found.push({ prefix: formatPrefix(prefix), route });
    } catch (error) {
      // An ip that fails is a finding of its own.
      if (!(error instanceof CommandError)) throw error;
    }
  }
  return found;
}

function devicesOf({ lans, gateways }: Config): readonly string[] {
  return [
    ...lans.flatMap((lan) => ("device" in lan ? [lan.device] : [])),
    ...gateways.flatMap(({ enabled, reach }) => (enabled && reach.kind === "via" ? [reach.device] : [])),
  ];
}
