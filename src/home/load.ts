import { ConfigurationError } from "../config/configuration-error.ts";
import { formatConfigError, parseConfig } from "../config/index.ts";
import type { Config } from "../config/types.ts";
import type { Host } from "../host/types.ts";
import type { Prefix } from "../plan/addresses.ts";
import { assignNumbers } from "../plan/assignment.ts";
import { readMemberships } from "./membership.ts";
import type { Membership } from "./plan.ts";

export const HOME_CONFIG = "/etc/config/binder";
const NUMBERS = "/etc/binder/numbers";

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

/** Reads the configuration, the numbers and the membership. Throws ConfigurationError if the configuration is wrong. */
export async function readHome(host: Host): Promise<HomeFiles> {
  const config = await readConfig(host);
  const numbers = await readNumbers(host, config);
  return { config, numbers, ...(await readMemberships(host, config.relays)) };
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
  // What is wrong with a membership is told by readHome.
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
