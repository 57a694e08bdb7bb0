import { RUN_DIRECTORY } from "../plan/run-directory.ts";
import type { Host } from "../host/types.ts";
import type { Ownership } from "../kernel/state.ts";
import { formatPrefix } from "../plan/addresses.ts";
import { DEFAULT_ALIAS_PREFIX, DEFAULT_LANE_PREFIX, DEVICE_PREFIX, NFT_TABLE, PROTOCOL } from "../plan/numbers.ts";
import type { HomePlan } from "./plan.ts";

const PREFIXES = `${RUN_DIRECTORY}/prefixes`;
export const SAVED = `${RUN_DIRECTORY}/saved`;

/**
 * What in the kernel is the home's. Prefixes that were ever used since the machine started are kept in /var/run, so that cleanup finds what
 * an earlier configuration made.
 */
export async function homeOwnership(host: Host, plan: Pick<HomePlan, "config" | "memberships"> | undefined): Promise<Ownership> {
  const known = (await host.files.status(PREFIXES)) === undefined ? "" : new TextDecoder().decode(await host.files.read(PREFIXES));
  const prefixes = new Set([DEFAULT_ALIAS_PREFIX, DEFAULT_LANE_PREFIX, ...known.split("\n").filter((line) => line !== "")]);
  if (plan !== undefined) {
    prefixes.add(formatPrefix(plan.config.main.aliasPrefix));
    for (const { lanePrefix } of plan.memberships) prefixes.add(formatPrefix(lanePrefix));
    const text = `${[...prefixes].join("\n")}\n`;
    if (text !== known) {
      await host.files.makeDirectory(RUN_DIRECTORY, 0o755);
      await host.files.replace(PREFIXES, new TextEncoder().encode(text), 0o644);
    }
  }
  return { devicePrefix: DEVICE_PREFIX, prefixes: [...prefixes], protocol: PROTOCOL, nftTable: NFT_TABLE, savedDirectory: SAVED };
}
