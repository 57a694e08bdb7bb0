import { sendBuffer, type SendLimit, unsentLimit } from "../plan/tcp-buffers.ts";
import type { Sysctl } from "./state.ts";

/** What may be held to send, as both ends ask it of their kernels. */
export function sendSysctls(limit: SendLimit): readonly Sysctl[] {
  const unsent = unsentLimit(limit);
  return [
    { key: "net/ipv4/tcp_wmem", mode: "set", value: sendBuffer(limit) },
    ...(unsent === undefined ? [] : [{ key: "net/ipv4/tcp_notsent_lowat", mode: "set", value: unsent } as const]),
  ];
}
