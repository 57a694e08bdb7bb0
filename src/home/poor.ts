import type { GatewayStateName } from "../control/types.ts";
import type { LossWindow } from "../link/loss-window.ts";
import type { UsualDelay } from "../link/usual-delay.ts";

/** Why a lane in this state would drag the others though it answers, for a person; empty if it would not. */
export function poorReason(
  state: GatewayStateName,
  losses: Pick<LossWindow, "lossy" | "share">,
  usual: Pick<UsualDelay, "slow" | "late" | "present" | "usual">,
): string {
  // What an outage swallowed is no loss of the line.
  if (state === "suspect" || state === "down") return "";
  if (losses.lossy) return `it loses ${Math.round(losses.share * 100)} % of packets`;
  // One that comes back and is late at once is not trusted until that has passed: once it is loaded, nothing tells its delay from a queue's.
  if (usual.slow || (state === "holding" && usual.late)) return `it answers ${Math.round(usual.present - usual.usual)} ms later than usual`;
  return "";
}
