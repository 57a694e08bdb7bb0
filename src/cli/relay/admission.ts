import type { Host } from "../../host/types.ts";
import { findAccount } from "../../relay/accounts.ts";
import type { EntryPlan } from "../../relay/client-entries.ts";
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

/** Whole seconds since 1970. */
export const nowOf = (host: Host): number => Math.floor(host.clock.wall() / 1000);
