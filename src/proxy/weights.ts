import type { Host } from "../host/types.ts";
import { BACKEND, serverOfLane } from "./home-config.ts";
import { askProxy, StatsSocketError } from "./stats-socket.ts";

/** How often a lane starts new connections, relative to the others: 0 (never) to 256. By lane number. */
export type LaneWeights = ReadonlyMap<number, number>;

/** The weights in HAProxy's answer to `show servers state lanes` (management guide; fields srv_name and srv_uweight). */
export function parseWeights(text: string): LaneWeights {
  const weights = new Map<number, number>();
  for (const row of text.split("\n")) {
    const fields = row.split(" ");
    const lane = /^lane([0-9]+)$/.exec(fields[3] ?? "");
    if (lane !== null) weights.set(Number(lane[1]), Number(fields[7]));
  }
  return weights;
}

const SHOW = ["show", "servers", "state", BACKEND] as const;

/**
 * Makes HAProxy's weights these; commands go out for those alone that differ. Lanes that are not named get 0. Answers the new state of
 * its servers, as `load-server-state-from-file` reads it; undefined if nothing had to be changed.
 */
export async function setWeights(host: Host, path: string, wanted: LaneWeights, signal: AbortSignal): Promise<string | undefined> {
  const actual = parseWeights(await askProxy(host, path, [SHOW], signal));
  const commands = [...actual]
    .filter(([lane, weight]) => weight !== (wanted.get(lane) ?? 0))
    .map(([lane]) => ["set", "server", `${BACKEND}/${serverOfLane(lane)}`, "weight", wanted.get(lane) ?? 0]);
  if (commands.length === 0) return undefined;
  const answer = (await askProxy(host, path, commands, signal)).trim();
  if (answer !== "") throw new StatsSocketError(`HAProxy refuses the lanes' weights: ${answer}`);
  return await askProxy(host, path, [SHOW], signal);
}
