import { readFile } from "node:fs/promises";

/**
 * The congestion controls that a network namespace may have as its default: the kernel refuses it all others (EPERM), and the list
 * is the machine's, so a testbed must not change it (net/ipv4/tcp_cong.c, tcp_set_default_congestion_control).
 */
export async function allowedCongestion(): Promise<readonly string[]> {
  return (await readFile("/proc/sys/net/ipv4/tcp_allowed_congestion_control", "utf8")).trim().split(" ");
}

/** What a new network namespace has by itself. */
export async function inheritedCongestion(): Promise<string> {
  return (await readFile("/proc/sys/net/ipv4/tcp_congestion_control", "utf8")).trim();
}

export interface Choice {
  readonly name: string;
  /** Why it is not what was wished for. */
  readonly warning?: string;
}

/** Decides between what was asked for and what the kernel grants. Throws if something was named that it does not. */
export function chooseCongestion(asked: string | undefined, allowed: readonly string[], inherited: string): Choice {
  const name = asked ?? "cubic";
  if (allowed.includes(name)) return { name };
  const why =
    `a namespace can't have congestion control ${name} on this machine: net.ipv4.tcp_allowed_congestion_control is "${allowed.join(" ")}"; ` +
    `sysctl -w net.ipv4.tcp_allowed_congestion_control="${[...allowed, name].join(" ")}" on the machine itself would allow it`;
  if (asked !== undefined) throw new Error(why);
  return { name: inherited, warning: `${why}; nodes have the machine's own, ${inherited}` };
}
