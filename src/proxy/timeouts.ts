import { line } from "./text.ts";

/** What both ends' HAProxy have in common: TCP mode, splicing, sessions that may idle for a day, keep-alives that find dead peers. */
export function commonDefaults(connectTimeout: string): readonly string[] {
  return [
    "defaults",
    line("mode", "tcp"),
    line("timeout", "connect", connectTimeout),
    line("timeout", "client", "24h"),
    line("timeout", "server", "24h"),
    line("timeout", "client-fin", "1h"),
    line("timeout", "server-fin", "1h"),
    line("timeout", "queue", "1s"),
    line("option", "splice-auto"),
    line("option", "clitcpka"),
    line("option", "srvtcpka"),
    line("clitcpka-idle", "300s"),
    line("clitcpka-intvl", "30s"),
    line("clitcpka-cnt", 10),
    line("srvtcpka-idle", "300s"),
    line("srvtcpka-intvl", "30s"),
    line("srvtcpka-cnt", 10),
  ];
}

/** Share of `maxconn` beyond which connections are refused. */
const FULL = 0.9;

/**
 * Refuses what is too much. At `maxconn` itself HAProxy stops accepting, and connections hang in the kernel's backlog (configuration
 * manual, "maxconn"); a household is better served by an error at once.
 */
export function refuseBeyond(maximumConnections: number): string {
  return line("tcp-request", "connection", "reject", "if", "{", "fe_conn", "gt", Math.max(1, Math.floor(maximumConnections * FULL)), "}");
}
