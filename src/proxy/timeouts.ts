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
