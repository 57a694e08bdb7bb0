import { formatConfigError, parseRelayConfig } from "../../config/index.ts";
import type { RelayConfig } from "../../config/relay-types.ts";
import type { Host } from "../../host/types.ts";
import { relayAddress } from "../../plan/addresses.ts";
import { RELAY_CONFIG } from "../../relay/paths.ts";
import { CommandError, STATUS } from "../frame.ts";

/** The relay's configuration with its resolver decided. */
export type RelaySettings = RelayConfig & { readonly resolver: string };

/** Throws a CommandError with every error of the file. */
export async function loadSettings(host: Host): Promise<RelaySettings> {
  if ((await host.files.status(RELAY_CONFIG)) === undefined) {
    throw new CommandError(STATUS.configuration, `there is no ${RELAY_CONFIG}: run binder relay init`);
  }
  const result = parseRelayConfig(RELAY_CONFIG, await host.files.read(RELAY_CONFIG));
  if (!result.ok) throw new CommandError(STATUS.configuration, result.errors.map(formatConfigError).join("\n"));
  const { config } = result;
  return { ...config, resolver: config.resolver ?? relayAddress(config.prefix, 0) };
}
