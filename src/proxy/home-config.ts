import { MAX_GATEWAY, MIN_GATEWAY, PORT_CAPTURE, PORT_PROXY } from "../plan/numbers.ts";
import { type MptcpMeans, mptcpAddress } from "./mptcp.ts";
import { line } from "./text.ts";
import { type GlobalOptions, globalSection } from "./global-section.ts";
import { commonDefaults, refuseBeyond } from "./timeouts.ts";

export interface HomeProxyOptions extends GlobalOptions {
  readonly means: MptcpMeans;
  /** The relay's service address. */
  readonly service: string;
  /** This home's address on lane i, 1 to 15. */
  readonly laneAddress: (lane: number) => string;
  /** Where the servers' weights are read from at the start (`show servers state`); it need not exist. */
  readonly stateFile: string;
}

/**
 * What an upload may pile up in the router before it is on its way, bytes: enough for a LAN of 100 Mbit/s and 20 ms, and what a process
 * may ask for by Linux' default `net.core.rmem_max`. Left to tcp_rmem it was 10 MB, which were still being sent a second after the
 * upload's end.
 */
const LAN_RECEIVE_BUFFER = 212_992;

export const BACKEND = "lanes";
export const serverOfLane = (lane: number): string => `lane${lane}`;

/**
 * HAProxy at home. It has a server for every lane there can ever be: the same relay, reached from that lane's address, so that the
 * connection's first subflow starts on that lane. Which of them are used, and how much, is set by the stats socket: the text depends
 * neither on the gateways nor on their states, so HAProxy is never reloaded. A connection that a lane does not answer is tried on
 * another (`redispatch`).
 */
export function homeProxyConfig(options: HomeProxyOptions): string {
  const lanes = Array.from({ length: MAX_GATEWAY - MIN_GATEWAY + 1 }, (_, index) => MIN_GATEWAY + index);
  const lines = [
    ...globalSection(options),
    line("tune.rcvbuf.client", LAN_RECEIVE_BUFFER),
    line("server-state-file", options.stateFile),
    ...commonDefaults("2s"),
    line("retries", 3),
    line("option", "redispatch", 1),
    line("frontend", "capture"),
    line("bind", `0.0.0.0:${PORT_CAPTURE}`),
    refuseBeyond(options.maximumConnections),
    line("default_backend", BACKEND),
    line("backend", BACKEND),
    line("balance", "roundrobin"),
    line("load-server-state-from-file", "global"),
    ...lanes.map((lane) =>
      line(
        ...["server", serverOfLane(lane), `${mptcpAddress(options.means, options.service)}:${PORT_PROXY}`],
        ...["source", options.laneAddress(lane), "send-proxy-v2", "weight", "0"],
      ),
    ),
  ];
  return `${lines.join("\n")}\n`;
}
