import type { Host } from "../host/types.ts";
import { PORT_PROXY } from "../plan/numbers.ts";

/** One established connection of TCP to the relay's proxy. */
export interface Subflow {
  /** The lane's address, at which it begins. */
  readonly address: string;
  readonly port: number;
  /** The first of an MPTCP connection, one that joined it, or plain TCP. */
  readonly kind: "first" | "joined" | "plain";
  /** The MPTCP connection that it belongs to: its token at this end (RFC 8684, 3.2). Empty: none. */
  readonly token: string;
}

/**
 * What `ss -tniH` lists. Of each socket two lines: addresses, and details, where `tcp-ulp-mptcp` tells flags (`M`: the peer has
 * MP_CAPABLE, `J`: it has MP_JOIN) and tokens, remote then local (iproute2, misc/ss.c, mptcp_subflow_info).
 */
export function parseSubflows(text: string): readonly Subflow[] {
  const subflows: Subflow[] = [];
  let socket: { readonly address: string; readonly port: number } | undefined;
  for (const line of text.split("\n")) {
    if (!/^\s/.test(line)) {
      const [, address, port] = /^\S+\s+\S+\s+([0-9.]+)(?:%[^:\s]+)?:([0-9]+)\s/.exec(line) ?? [];
      socket = address === undefined ? undefined : { address, port: Number(port) };
      continue;
    }
    if (socket === undefined) continue;
    const [, flags = "", local = ""] = /tcp-ulp-mptcp flags:(\S*) token:[0-9a-f]+\(id:[0-9]+\)\/([0-9a-f]+)\(id:[0-9]+\)/.exec(line) ?? [];
    const kind = flags.includes("J") ? "joined" : flags.includes("M") ? "first" : "plain";
    subflows.push({ ...socket, kind, token: kind === "plain" ? "" : local });
    socket = undefined;
  }
  return subflows;
}

/** An MPTCP connection to the relay's proxy, which may have no subflow left. */
export interface Connection {
  readonly token: string;
  /** Where its first subflow began, `198.19.16.2:44936`: HAProxy knows the connection by it. */
  readonly source: string;
}

/**
 * What `ss -MniH` lists, but for those that fell back to plain TCP. Of each connection two lines: addresses, and details (iproute2,
 * misc/ss.c, mptcp_stats_print).
 */
export function parseConnections(text: string): readonly Connection[] {
  const connections: Connection[] = [];
  let source: string | undefined;
  for (const line of text.split("\n")) {
    if (!/^\s/.test(line)) {
      // The state's column is missing where one state is asked for; the peer is the last.
      source = line.trimEnd().split(/\s+/).at(-2);
      continue;
    }
    const token = / token:([0-9a-f]+)(?: |$)/.exec(line)?.[1];
    const plain = / fallback(?: |$)/.test(line);
    if (source !== undefined && token !== undefined && !plain) connections.push({ token, source });
    source = undefined;
  }
  return connections;
}

const TO_RELAY = ["state", "established", "dport", "=", `:${PORT_PROXY}`] as const;

/** The home's subflows now. Rejects if `ss` can't be run. */
export async function readSubflows(host: Host, signal: AbortSignal): Promise<readonly Subflow[]> {
  const { stdout } = await host.processes.run("ss", ["-tniH", ...TO_RELAY], signal);
  return parseSubflows(new TextDecoder().decode(stdout));
}

/** The home's MPTCP connections now. Rejects if `ss` can't be run. */
export async function readConnections(host: Host, signal: AbortSignal): Promise<readonly Connection[]> {
  const { stdout } = await host.processes.run("ss", ["-MniH", ...TO_RELAY], signal);
  return parseConnections(new TextDecoder().decode(stdout));
}
