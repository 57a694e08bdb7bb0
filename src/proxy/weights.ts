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

/** Makes HAProxy's weights these; commands go out for those alone that differ. Lanes that are not named get 0. */
export async function setWeights(host: Host, path: string, wanted: LaneWeights, signal: AbortSignal): Promise<void> {
  const actual = parseWeights(await askProxy(host, path, [["show", "servers", "state", BACKEND]], signal));
  const commands = [...actual]
    .filter(([lane, weight]) => weight !== (wanted.get(lane) ?? 0))
    .map(([lane]) => ["set", "server", `${BACKEND}/${serverOfLane(lane)}`, "weight", wanted.get(lane) ?? 0]);
  if (commands.length === 0) return;
  const answer = (await askProxy(host, path, commands, signal)).trim();
  if (answer !== "") throw new StatsSocketError(`HAProxy refuses the lanes' weights: ${answer}`);
}
