import type { RelaySection } from "../config/types.ts";
import type { Host } from "../host/types.ts";
import { readJoined, relayFolder } from "../invite/folder.ts";
import { parsePrefix } from "../plan/addresses.ts";
import type { Membership } from "./plan.ts";

/** The home's places at its enabled relays, in the order of their priorities, and what is wrong with those that it can't use. */
export async function readMemberships(
  host: Host,
  relays: readonly RelaySection[],
): Promise<{ readonly memberships: readonly Membership[]; readonly complaints: readonly string[] }> {
  const memberships: Membership[] = [];
  const complaints: string[] = [];
  for (const section of relays) {
    if (!section.enabled) continue;
    try {
      memberships.push(await readMembership(host, section));
    } catch (error) {
      complaints.push(error instanceof Error ? error.message : String(error));
    }
  }
  return { memberships, complaints };
}

/**
 * The home's place at one relay, from the invite that `binder join` kept. Throws with a sentence for the user if its keys are missing or
 * unreadable.
 */
async function readMembership(host: Host, section: RelaySection): Promise<Membership> {
  const invite = await readJoined(host, section.name);
  const { directory } = relayFolder(section.name);
  if (invite === undefined) throw new Error(`relay '${section.name}' has no keys in ${directory}: run binder join with its invite`);
  const lanePrefix = parsePrefix(invite.prefix);
  if (lanePrefix === undefined)
    throw new Error(`the invite in ${directory} has the prefix "${invite.prefix}", which is none: run binder join again`);
  return {
    relay: section.name,
    home: invite.home,
    number: invite.number,
    addresses: section.addresses,
    port: section.port,
    lanePrefix,
    resolver: invite.resolver,
  };
}
