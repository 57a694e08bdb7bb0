import { compiled } from "./compile.ts";
import type { TestNode } from "./node.ts";
import type { Running } from "./running.ts";

/** What one connection of `flow get` or `flow put` came to: see flow.c. */
export interface Transfer {
  readonly bytes: number;
  /** From connect on. */
  readonly seconds: number;
  readonly bps: number;
  /** From connect to the first byte of content; null if none came, and for uploads. */
  readonly first_byte_ms: number | null;
  readonly content: "good" | "bad";
  /** complete, time, early, reset, refused, unreachable, silent or an errno. */
  readonly end: string;
  /** The client's address and port as the server saw them; empty if it never did. */
  readonly peer: string;
  readonly mptcp: boolean;
}

/** What several connections at once came to. */
export interface Transfers {
  readonly connections: number;
  readonly fine: number;
  readonly bytes: number;
  readonly seconds: number;
  readonly bps: number;
  /** When the last one ended. */
  readonly last_seconds: number;
  readonly content: "good" | "bad";
  readonly ends: Readonly<Record<string, number>>;
}

export interface Delays {
  readonly least: number;
  readonly median: number;
  readonly p99: number;
  readonly most: number;
}

export interface Datagrams {
  readonly sent: number;
  readonly echoed: number;
  /** Not echoed; `lost_up` of them never reached the server. */
  readonly lost: number;
  readonly lost_up: number;
  readonly reordered: number;
  readonly doubled: number;
  /** Not taken by the sender's own kernel. */
  readonly refused: number;
  readonly longest_silence_ms: number;
  readonly up_ms: Delays | null;
  readonly down_ms: Delays | null;
  readonly round_ms: Delays | null;
}

export interface Connects {
  readonly connections: number;
  readonly failed: number;
  readonly seconds: number;
  readonly per_second: number;
  readonly first_byte_ms_mean: number;
  readonly first_byte_ms_most: number;
}

export interface FlowOptions {
  /** Address of the server. Default 45.0.200.2. */
  readonly to?: string;
  /** Default 80. */
  readonly port?: number;
  readonly bind?: string;
  readonly mptcp?: boolean;
  /** How long, from connect on. Default 10 where `bytes` is not given. */
  readonly seconds?: number;
  readonly bytes?: number;
  /** Seconds beyond `seconds` until a connection is given up. Default 30. */
  readonly limit?: number;
  readonly seed?: number;
}

/** Starts the server on a node, and resolves when it listens. */
export async function serve(node: TestNode, port = 80, mptcp = false): Promise<Running> {
  const server = node.start(await compiled("flow"), ["serve", "--port", String(port), ...(mptcp ? ["--mptcp"] : [])]);
  await server.line(/"listening"/);
  return server;
}

type More = Readonly<Record<string, number | undefined>>;

function words(mode: string, { mptcp, ...options }: FlowOptions, more: More): string[] {
  const values: Readonly<Record<string, string | number | undefined>> = { to: "45.0.200.2", port: 80, ...options, ...more };
  return [
    mode,
    ...Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, String(value)])),
    ...(mptcp ? ["--mptcp"] : []),
  ];
}

/** The last line that the program printed; its shape is flow.c's promise. */
async function ask<Result>(node: TestNode, mode: string, options: FlowOptions, more: More = {}): Promise<Result[]> {
  const { limit = 30, seconds = 10 } = options;
  const ran = await node.run(await compiled("flow"), words(mode, options, more), {
    limit: (limit + seconds + 10) * 1000 * (more["repeat"] ?? 1),
  });
  const lines = ran.stdout.trim().split("\n");
  if (ran.stdout === "") throw new Error(`${node.name}: flow ${mode}: ${ran.stderr.trim()}`);
  return lines.map((line) => JSON.parse(line) as Result);
}

async function askOnce<Result>(node: TestNode, mode: string, options: FlowOptions, more: More = {}): Promise<Result> {
  const last = (await ask<Result>(node, mode, options, more)).at(-1);
  if (last === undefined) throw new Error(`${node.name}: flow ${mode} said nothing`);
  return last;
}

/** One download. Resolves however it ends; rejects if it could not be tried. `resetAt`: the server aborts after so many bytes. */
export function download(
  node: TestNode,
  options: FlowOptions & { readonly resetAt?: number; readonly closeAt?: number } = {},
): Promise<Transfer> {
  const { resetAt, closeAt, ...rest } = options;
  return askOnce(node, "get", rest, { "reset-at": resetAt, "close-at": closeAt });
}

/** One upload; what counts is what the server received within the time. */
export function upload(node: TestNode, options: FlowOptions = {}): Promise<Transfer> {
  return askOnce(node, "put", options);
}

/** Several downloads at once. */
export function downloads(node: TestNode, parallel: number, options: FlowOptions = {}): Promise<Transfers> {
  return askOnce(node, "get", options, { parallel });
}

/** Several uploads at once. */
export function uploads(node: TestNode, parallel: number, options: FlowOptions = {}): Promise<Transfers> {
  return askOnce(node, "put", options, { parallel });
}

/** Downloads one after another: for first-byte delays, with `bytes: 1`. */
export function series(node: TestNode, repeat: number, options: FlowOptions): Promise<Transfer[]> {
  return ask(node, "get", options, { repeat });
}

/** As many connections as can be made, `parallel` at a time, a byte each. */
export function connects(node: TestNode, parallel: number, options: FlowOptions = {}): Promise<Connects> {
  return askOnce(node, "connects", options, { parallel });
}

/** Datagrams at a constant rate (bit/s of IP bytes; `size` bytes each, 60 to 1500), echoed by the server. */
export function datagrams(
  node: TestNode,
  options: Pick<FlowOptions, "to" | "port" | "bind" | "seconds"> & { readonly rate?: number; readonly size?: number } = {},
): Promise<Datagrams> {
  const { rate, size, ...rest } = options;
  return askOnce(node, "udp", rest, { rate, size });
}
