import type { Host } from "../host/types.ts";

/** How HAProxy gets MPTCP sockets on this machine. */
export type MptcpMeans =
  /** HAProxy 3.1 and later: its own addresses `mptcp4@…`. */
  | { readonly kind: "native"; readonly program: string }
  /** Older: all its sockets by the preloaded library of mptcpize(8). */
  | { readonly kind: "mptcpize"; readonly program: string; readonly mptcpize: string };

export class MptcpMeansError extends Error {
  override readonly name = "MptcpMeansError";
}

/** The first line of `haproxy -v` to its version; undefined if it is none. */
export function parseHaproxyVersion(text: string): readonly [number, number] | undefined {
  const match = /HAProxy version ([0-9]+)\.([0-9]+)/i.exec(text);
  return match === null ? undefined : [Number(match[1]), Number(match[2])];
}

/** Finds the means; throws MptcpMeansError that names the package to install. */
export async function findMptcpMeans(host: Host, signal: AbortSignal): Promise<MptcpMeans> {
  const program = await host.processes.find("haproxy");
  if (program === undefined) throw new MptcpMeansError("haproxy is not installed: install the package haproxy");
  const { stdout } = await host.processes.run(program, ["-v"], signal);
  const version = parseHaproxyVersion(new TextDecoder().decode(stdout));
  if (version !== undefined && (version[0] > 3 || (version[0] === 3 && version[1] >= 1))) return { kind: "native", program };
  const mptcpize = await host.processes.find("mptcpize");
  if (mptcpize === undefined) throw new MptcpMeansError("this HAProxy needs mptcpize: install the package mptcpize, or HAProxy 3.1");
  return { kind: "mptcpize", program, mptcpize };
}

export interface HaproxyCommand {
  readonly program: string;
  readonly args: readonly string[];
}

/** Runs HAProxy in the foreground with this configuration, no socket of it by MPTCP but those with an address `mptcp4@…`. */
export function plainHaproxyCommand(means: MptcpMeans, configuration: string): HaproxyCommand {
  return { program: means.program, args: ["-db", "-f", configuration] };
}

/** Runs HAProxy in the foreground with this configuration, by MPTCP where the means can. */
export function haproxyCommand(means: MptcpMeans, configuration: string): HaproxyCommand {
  const plain = plainHaproxyCommand(means, configuration);
  switch (means.kind) {
    case "native":
      return plain;
    case "mptcpize":
      return { program: means.mptcpize, args: ["run", plain.program, ...plain.args] };
  }
}

/** An IPv4 address to listen on or connect to by MPTCP. */
export function mptcpAddress(means: MptcpMeans, address: string): string {
  return means.kind === "native" ? `mptcp4@${address}` : address;
}
