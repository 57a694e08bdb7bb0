import type { Sysctl } from "../kernel/state.ts";

/**
 * What MPTCP over several lines needs of the whole kernel. A receive buffer holds what the quick lanes bring while the slow ones are
 * awaited: with a 128 MB router's default of some 1 MB one flow got 20 of 65 Mbit/s.
 */
export const homeSysctls: readonly Sysctl[] = [
  { key: "net/ipv4/ip_forward", mode: "set", value: "1" },
  { key: "net/mptcp/enabled", mode: "set", value: "1" },
  // Two lost SYNs would otherwise turn MPTCP off for an hour (kernel 6.12 and later).
  { key: "net/mptcp/blackhole_timeout", mode: "set", value: "0" },
  { key: "net/ipv4/tcp_rmem", mode: "raise", value: "4096 131072 8388608" },
  { key: "net/ipv4/tcp_wmem", mode: "raise", value: "4096 16384 4194304" },
];
