import { ConfigurationError } from "../config/configuration-error.ts";
import { formatConfigError, parseConfig } from "../config/index.ts";
import type { Config } from "../config/types.ts";
import type { Host } from "../host/types.ts";
import type { Prefix } from "../plan/addresses.ts";
import { assignNumbers } from "../plan/assignment.ts";
import { idleBypasses } from "./bypass.ts";
import { readMemberships } from "./membership.ts";
import { notBuilt } from "./not-built.ts";
import type { HomePlan, NumberedGateway } from "./plan.ts";

export const HOME_CONFIG = "/etc/config/binder";
const NUMBERS = "/etc/binder/numbers";

/** A gateway that is configured but can't be used on this machine, and why. */
export interface UnusableGateway {
  readonly number: number;
  readonly name: string;
  readonly reason: string;
}

export interface LoadedHome {
  readonly plan: HomePlan;
  readonly unusable: readonly UnusableGateway[];
  /** What the user should know though nothing failed. */
  readonly warnings: readonly string[];
}

/** Reads the configuration, the numbers and the membership. Throws ConfigurationError if the configuration is wrong. */
export async function loadHome(host: Host): Promise<LoadedHome> {
  const config = await readConfig(host);
  const warnings: string[] = [];
  const numbers = await readNumbers(host, config);
  const { memberships, complaints } = await readMemberships(host, config.relays);
  warnings.push(...complaints);
  if (config.relays.length === 0) warnings.push("no relay is configured: ask a relay's operator for an invite and run binder join");
  if (config.lans.length === 0) warnings.push("no LAN is configured: nothing is captured; add a section lan to /etc/config/binder");
  const numbered = config.gateways.map((section): NumberedGateway => ({ section, number: numbers.get(section.name) ?? 0 }));
  const usable = numbered.filter(({ section }) => section.enabled && section.reach.kind === "via");
  const unusable = numbered.filter(({ section }) => section.enabled && section.reach.kind !== "via").map(explain);
  const lans = config.lans.flatMap((lan) => ("device" in lan ? [lan.device] : []));
  for (const lan of config.lans)
    if ("network" in lan) warnings.push(`lan '${lan.name}': network '${lan.network}' needs OpenWrt; use device`);
  warnings.push(...notBuilt(config));
  const plan = { config, gateways: usable, membership: memberships[0], memberships, lans };
  for (const { name, gateway } of idleBypasses(plan))
    warnings.push(`bypass '${name}': gateway '${gateway}' is not in use, so what it names crosses with the rest; enable the gateway`);
  return { plan, unusable, warnings };
}

function explain({ number, section }: NumberedGateway): UnusableGateway {
  const reason =
    section.reach.kind === "remote" ? "option remote is not built yet; use device and via" : "needs OpenWrt; use device and via";
  return { number, name: section.name, reason };
}

async function readConfig(host: Host): Promise<Config> {
  if ((await host.files.status(HOME_CONFIG)) === undefined) {
    throw new ConfigurationError(`${HOME_CONFIG} does not exist: run binder join, or start from the example in the README`);
  }
  const bytes = await host.files.read(HOME_CONFIG);
  const result = parseConfig(HOME_CONFIG, bytes, { lanePrefixes: await joinedPrefixes(host, bytes) });
  if (!result.ok) throw new ConfigurationError(result.errors.map(formatConfigError).join("\n"));
  return result.config;
}

/** The prefixes of the relays that the home has joined: the configuration may not overlap with them. */
async function joinedPrefixes(host: Host, bytes: Uint8Array): Promise<readonly Prefix[]> {
  const result = parseConfig(HOME_CONFIG, bytes);
  if (!result.ok) return [];
  // What is wrong with a membership is told by loadHome.
  return (await readMemberships(host, result.config.relays)).memberships.map(({ lanePrefix }) => lanePrefix);
}

async function readNumbers(host: Host, config: Config): Promise<ReadonlyMap<string, number>> {
  const kept = (await host.files.status(NUMBERS)) === undefined ? "" : new TextDecoder().decode(await host.files.read(NUMBERS));
  const assignment = assignNumbers(
    kept,
    config.gateways.map((gateway) => gateway.name),
  );
  if (!assignment.ok)
    throw new ConfigurationError(`there are too many gateways: 15 are possible, without ${assignment.without.join(", ")}`);
  if (assignment.text !== kept) {
    await host.files.makeDirectory("/etc/binder", 0o700);
    await host.files.replace(NUMBERS, new TextEncoder().encode(assignment.text), 0o644);
  }
  return assignment.numbers;
}
