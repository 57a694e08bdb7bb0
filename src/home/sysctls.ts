import { sendSysctls } from "../kernel/send-sysctls.ts";
import type { Sysctl } from "../kernel/state.ts";
import { receiveBuffer, type SendLimit } from "../plan/tcp-buffers.ts";

/** What MPTCP over several lines needs of the whole kernel of a machine with this much memory, where `limit` may be held to send. */
export const homeSysctls = (memory: number, limit: SendLimit): readonly Sysctl[] => [
  { key: "net/ipv4/ip_forward", mode: "set", value: "1" },
  { key: "net/mptcp/enabled", mode: "set", value: "1" },
  // Two lost SYNs would otherwise turn MPTCP off for an hour (kernel 6.12 and later).
  { key: "net/mptcp/blackhole_timeout", mode: "set", value: "0" },
  { key: "net/ipv4/tcp_rmem", mode: "raise", value: receiveBuffer(memory, "home") },
  ...sendSysctls(limit),
];
