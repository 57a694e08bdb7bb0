import type { Host } from "../../host/types.ts";
import { encodeInvite } from "../../invite/codec.ts";
import { formatPrefix } from "../../plan/addresses.ts";
import { findAccount } from "../../relay/accounts.ts";
import type { EntryPlan } from "../../relay/client-entries.ts";
import type { Home } from "../../relay/homes.ts";
import { makeHomeKeys } from "../../relay/keys.ts";
import { RELAY_CONFIG, RELAY_KEYS, VPN_USER } from "../../relay/paths.ts";
import { CommandError, STATUS } from "../frame.ts";
import { loadSettings, type RelaySettings } from "./settings.ts";

/** A relay that `init` has been through. */
export interface ReadyRelay {
  readonly settings: RelaySettings;
  readonly entries: EntryPlan;
}

/** Throws a CommandError if this machine is no relay yet, or its configuration is wrong. */
export async function openRelay(host: Host): Promise<ReadyRelay> {
  const account = await findAccount(host, VPN_USER);
  if (account === undefined || (await host.files.status(RELAY_KEYS.tlsCrypt)) === undefined) {
    throw new CommandError(STATUS.configuration, "this machine is no relay yet: run binder relay init");
  }
  const settings = await loadSettings(host);
  if (settings.addresses.length === 0) {
    throw new CommandError(
      STATUS.configuration,
      `${RELAY_CONFIG} names no address, so homes could not find this relay: run binder relay init`,
    );
  }
  return { settings, entries: { prefix: settings.prefix, lanes: settings.lanes, group: account.gid } };
}

/** Makes a home's keys and the one line with them. Nothing of it is kept at the relay. */
export async function makeInvite(host: Host, settings: RelaySettings, home: Home, signal: AbortSignal): Promise<string> {
  const keys = await makeHomeKeys(host, home, signal);
  return encodeInvite({
    relay: settings.name,
    home: home.name,
    number: home.number,
    addresses: settings.addresses,
    port: settings.port,
    prefix: formatPrefix(settings.prefix),
    resolver: settings.resolver,
    ...keys,
  });
}

/** The line goes to standard output alone, so that it can be piped. */
export function handOver(host: Host, home: Home, invite: string): void {
  host.program.stdout(`${invite}\n`);
  host.program.stderr(
    `This line is the key of home ${home.name} (number ${home.number}): send it by a way that nobody else reads, and to one home only.\n` +
      "There: binder join, then paste it, then Ctrl-D. It is kept nowhere here.\n",
  );
}

/** Whole seconds since 1970. */
export const nowOf = (host: Host): number => Math.floor(host.clock.wall() / 1000);
