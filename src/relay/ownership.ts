import { RUN_DIRECTORY } from "../plan/run-directory.ts";
import type { RelayConfig } from "../config/relay-types.ts";
import type { Ownership } from "../kernel/state.ts";
import { formatPrefix } from "../plan/addresses.ts";
import { DEFAULT_LANE_PREFIX, NFT_TABLE, PROTOCOL } from "../plan/numbers.ts";

/** What in the kernel is the relay's. `plan` undefined: as far as that can be told without a configuration. */
export function relayOwnership(plan: { readonly config: RelayConfig } | undefined): Ownership {
  const prefixes = new Set([DEFAULT_LANE_PREFIX, ...(plan === undefined ? [] : [formatPrefix(plan.config.prefix)])]);
  return {
    devicePrefix: "binder-l",
    prefixes: [...prefixes],
    protocol: PROTOCOL,
    nftTable: NFT_TABLE,
    savedDirectory: `${RUN_DIRECTORY}/saved`,
  };
}
