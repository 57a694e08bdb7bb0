import { ConfigurationError } from "../config/configuration-error.ts";
import { formatConfigError, parseRelayConfig } from "../config/index.ts";
import type { RelayConfig } from "../config/relay-types.ts";
import type { Host } from "../host/types.ts";
import { formatPrefix } from "../plan/addresses.ts";
import type { Log } from "../process/log.ts";
import { findAccount } from "./accounts.ts";
import { syncAdmitted } from "./admitted.ts";
import { RELAY_CONFIG, VPN_USER } from "./paths.ts";
import type { RelayPlan } from "./plan.ts";

/** What servers were started with: it changes by a restart alone. */
type Fixed = Pick<RelayConfig, "port" | "prefix" | "lanes">;

/** Reads the configuration, with `fixed` in place of its own, and the book, and lets in whom the book names. Throws ConfigurationError. */
export async function loadRelay(host: Host, log: Log, fixed?: Fixed): Promise<RelayPlan> {
  if ((await host.files.status(RELAY_CONFIG)) === undefined)
    throw new ConfigurationError(`${RELAY_CONFIG} does not exist: run binder relay init`);
  const result = parseRelayConfig(RELAY_CONFIG, await host.files.read(RELAY_CONFIG));
  if (!result.ok) throw new ConfigurationError(result.errors.map(formatConfigError).join("\n"));
  if (result.config.addresses.length === 0)
    throw new ConfigurationError(`${RELAY_CONFIG} names no address of this relay: run binder relay init`);
  const account = await findAccount(host, VPN_USER);
  if (account === undefined) throw new ConfigurationError(`there is no user ${VPN_USER}: run binder relay init`);
  if (fixed !== undefined && fixedText(fixed) !== fixedText(result.config)) {
    log.write("warning", "port, prefix and lanes change when the relay is restarted (binder stop, binder relay run)");
  }
  const config = { ...result.config, ...fixed };
  return { config, book: await syncAdmitted(host, { prefix: config.prefix, lanes: config.lanes, group: account.gid }) };
}

const fixedText = ({ port, prefix, lanes }: Fixed): string => `${port} ${formatPrefix(prefix)} ${lanes}`;
