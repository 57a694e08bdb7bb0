import type { Host } from "../host/types.ts";
import { MARK_MASK, MATCH_RELAYED, markOf } from "../plan/marks.ts";

/**
 * Has the kernel forget flows that are not TCP and whose way is gone: whoever goes on sending is decided anew, and has an answer. TCP
 * is left alone: what is proxied may outlive the outage, and what left directly would be a stranger to its server. Flows by lanes are
 * forgotten if `lanes`; those by these gateways directly as well. Without `conntrack` they wait until their senders give up.
 */
export async function forgetFlows(host: Host, lanes: boolean, gateways: readonly number[], signal: AbortSignal): Promise<void> {
  const marks = [
    ...(lanes ? [MATCH_RELAYED] : []),
    ...gateways.map((gateway) => ({ value: markOf({ kind: "direct", gateway }), mask: MARK_MASK })),
  ];
  for (const { value, mask } of marks) {
    for (const protocol of ["udp", "icmp"]) {
      try {
        await host.processes.run("conntrack", ["-D", "-p", protocol, "-m", `${String(value)}/${String(mask)}`], signal);
      } catch {
        signal.throwIfAborted();
      }
    }
  }
}
