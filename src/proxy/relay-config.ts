import { PORT_PROXY } from "../plan/numbers.ts";
import { type MptcpMeans, mptcpAddress } from "./mptcp.ts";
import { line } from "./text.ts";
import { type GlobalOptions, globalSection } from "./global-section.ts";
import { commonDefaults, refuseBeyond } from "./timeouts.ts";

export interface RelayProxyOptions extends GlobalOptions {
  readonly means: MptcpMeans;
  /** The relay's service address. */
  readonly service: string;
  /** Prefix that all lanes' addresses lie in. */
  readonly lanePrefix: string;
  /** The mask that leaves a lane address's home number, `0.0.15.255`. */
  readonly homeMask: string;
  /** Prefixes that no home may reach through the relay. */
  readonly refused: readonly string[];
  readonly refusedPorts: readonly number[];
  /** At a time, for each home. */
  readonly connectionsPerHome: number;
}

/**
 * HAProxy at the relay: takes PROXY protocol from lanes alone and connects to the destination that the header names. What it may reach
 * is enforced by nft; the list here is the second lock. A destination that refuses is told to the home at once (`retries 0`), one that
 * is silent after eight seconds.
 */
export function relayProxyConfig(options: RelayProxyOptions): string {
  const lines = [
    ...globalSection(options),
    ...commonDefaults("8s"),
    line("retries", 0),
    line("frontend", "lanes"),
    // A home that sends no header holds nothing for long; once connected, the tunnel's time counts.
    line("timeout", "client", "15s"),
    line("bind", `${mptcpAddress(options.means, options.service)}:${PORT_PROXY}`, "accept-proxy"),
    refuseBeyond(options.maximumConnections),
    line("stick-table", "type", "ip", "size", "8k", "expire", "10m", "store", "conn_cur"),
    line("tcp-request", "connection", "reject", "unless", "{", "src", options.lanePrefix, "}"),
    line("tcp-request", "connection", "track-sc0", `src,ipmask(${options.homeMask})`),
    line("tcp-request", "connection", "reject", "if", "{", "sc0_conn_cur", "gt", options.connectionsPerHome, "}"),
    line("tcp-request", "session", "reject", "unless", "{", "dst", "0.0.0.0/0", "}"),
    ...options.refused.map((prefix) => line("tcp-request", "session", "reject", "if", "{", "dst", prefix, "}")),
    ...options.refusedPorts.map((port) => line("tcp-request", "session", "reject", "if", "{", "dst_port", port, "}")),
    line("default_backend", "internet"),
    line("backend", "internet"),
    line("timeout", "tunnel", "24h"),
    line("server", "destination", "0.0.0.0:0"),
  ];
  return `${lines.join("\n")}\n`;
}

/**
 * A HAProxy that only opens the relay's listener, for another to take over by its stats socket (`-x`, HAProxy's management guide, 4):
 * mptcpize makes all sockets of its program MPTCP, and at the relay the listener's should be, the exits to servers not.
 */
export function relayListenerConfig(
  options: Pick<RelayProxyOptions, "means" | "service" | "statsSocket" | "runAs" | "maximumConnections">,
): string {
  const { means, service, statsSocket, runAs, maximumConnections } = options;
  const lines = [
    "global",
    line("maxconn", 10),
    line("user", runAs.user),
    line("group", runAs.group),
    line("stats", "socket", statsSocket, "mode", "600", "level", "admin", "expose-fd", "listeners"),
    line("listen", "lanes"),
    line("mode", "tcp"),
    line("timeout", "client", "1s"),
    line("timeout", "connect", "1s"),
    line("timeout", "server", "1s"),
    line("bind", `${mptcpAddress(means, service)}:${PORT_PROXY}`, "accept-proxy"),
    // Whoever takes it over can't change it (listen(2)); the kernel's net.core.somaxconn is its limit.
    line("backlog", maximumConnections),
    line("tcp-request", "connection", "reject"),
  ];
  return `${lines.join("\n")}\n`;
}
