import type { RelaySection } from "../config/types.ts";
import type { Host } from "../host/types.ts";
import { readJoined, relayFolder } from "../invite/folder.ts";
import { parsePrefix } from "../plan/addresses.ts";
import type { Membership } from "./plan.ts";

/**
 * The home's place at the first enabled relay, from the invite that `binder join` kept; undefined if no relay is configured.
 * Throws with a sentence for the user if its keys are missing or unreadable.
 */
export async function readMembership(host: Host, relays: readonly RelaySection[]): Promise<Membership | undefined> {
  const section = relays.find((relay) => relay.enabled);
  if (section === undefined) return undefined;
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
