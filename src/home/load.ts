import { ConfigurationError } from "../config/configuration-error.ts";
import { formatConfigError, parseConfig } from "../config/index.ts";
import type { Config } from "../config/types.ts";
import type { Host } from "../host/types.ts";
import type { Prefix } from "../plan/addresses.ts";
import { assignNumbers } from "../plan/assignment.ts";
import { idleBypasses } from "./bypass.ts";
import { readMemberships } from "./membership.ts";
import { notBuilt } from "./not-built.ts";
import type { HomePlan, Membership, NumberedGateway } from "./plan.ts";
import { type KnownNetworks, wayOf, whyNot } from "./ways.ts";

export const HOME_CONFIG = "/etc/config/binder";
const NUMBERS = "/etc/binder/numbers";

/** A gateway that is configured but can't be used on this machine, and why. */
export interface UnusableGateway {
  readonly number: number;
  readonly name: string;
  readonly reason: string;
}

/** What the home reads of its files. */
export interface HomeFiles {
  readonly config: Config;
  /** Of the gateways, by name. */
  readonly numbers: ReadonlyMap<string, number>;
  /** At all relays that may be used, in the order of their priorities. */
  readonly memberships: readonly Membership[];
  /** What is wrong with a membership. */
  readonly complaints: readonly string[];
}

export interface LoadedHome {
  readonly files: HomeFiles;
  readonly plan: HomePlan;
  readonly unusable: readonly UnusableGateway[];
  /** What the user should know though nothing failed. */
  readonly warnings: readonly string[];
}

/** Reads the configuration, the numbers and the membership. Throws ConfigurationError if the configuration is wrong. */
export async function readHome(host: Host): Promise<HomeFiles> {
  const config = await readConfig(host);
  const numbers = await readNumbers(host, config);
  return { config, numbers, ...(await readMemberships(host, config.relays)) };
}

/** What comes of the files while netifd's networks are as they are known. */
export function planHome(files: HomeFiles, known: KnownNetworks): LoadedHome {
  const { config, numbers, memberships, complaints } = files;
  const usable: NumberedGateway[] = [];
  const unusable: UnusableGateway[] = [];
  for (const section of config.gateways.filter(({ enabled }) => enabled)) {
    const number = numbers.get(section.name) ?? 0;
    const found = wayOf(section.reach, known);
    if ("way" in found) usable.push({ number, section, way: found.way });
    else unusable.push({ number, name: section.name, reason: found.reason });
  }
  const lans = config.lans.map((lan) => ({
    lan,
    device: "device" in lan ? lan.device : known.get(lan.network)?.way?.device,
  }));
  const plan: HomePlan = {
    config,
    gateways: usable,
    membership: memberships[0],
    memberships,
    lans: lans.flatMap(({ device }) => (device === undefined ? [] : [device])),
  };
  return {
    files,
    plan,
    unusable,
    warnings: [
      ...complaints,
      ...(config.relays.length > 0 ? [] : ["no relay is configured: ask a relay's operator for an invite and run binder join"]),
      ...(config.lans.length > 0 ? [] : ["no LAN is configured: nothing is captured; add a section lan to /etc/config/binder"]),
      ...lans.flatMap(({ lan, device }) =>
        device === undefined && "network" in lan ? [`lan '${lan.name}' is not captured: ${whyNot(lan.network, known)}`] : [],
      ),
      ...notBuilt(config),
      ...idleBypasses(plan).map(
        ({ name, gateway }) =>
          `bypass '${name}': gateway '${gateway}' is not in use, so what it names crosses with the rest; enable the gateway`,
      ),
    ],
  };
}

/** The networks of netifd that a configuration names, each once. */
export const networksOf = ({ lans, gateways }: Config): readonly string[] => [
  ...new Set([
    ...lans.flatMap((lan) => ("network" in lan ? [lan.network] : [])),
    ...gateways.flatMap(({ enabled, reach }) => (enabled && reach.kind === "network" ? [reach.network] : [])),
  ]),
];

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
