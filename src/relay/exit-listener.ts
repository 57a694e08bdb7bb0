import { RUN_DIRECTORY } from "../plan/run-directory.ts";
import type { Host } from "../host/types.ts";
import { endNamed } from "../process/end-named.ts";
import { isRunning } from "../process/identity.ts";
import { readRecord } from "../process/record.ts";
import { logPathOf, startProgram } from "../process/start.ts";
import type { Preparation } from "../process/supervisor.ts";
import { haproxyCommand, type MptcpMeans } from "../proxy/mptcp.ts";
import { relayListenerConfig } from "../proxy/relay-config.ts";
import { askProxy } from "../proxy/stats-socket.ts";
import { PROXY_USER } from "./paths.ts";

const NAME = "relay-listener";
const CONFIGURATION = `${RUN_DIRECTORY}/relay-listener.cfg`;
const STATS = `${RUN_DIRECTORY}/relay-listener.sock`;
const LIMIT = 5_000;
const POLL = 20;

export interface ListenerOptions {
  readonly means: MptcpMeans;
  /** The relay's service address. */
  readonly service: string;
  /** That may wait to be accepted. */
  readonly maximumConnections: number;
}

/**
 * Opens the relay's MPTCP listener in a HAProxy under mptcpize, for one without it to take over. Answers the arguments by which it does
 * and tells the former to go. Rejects if that one doesn't listen within five seconds. Nothing for HAProxy with MPTCP addresses of its own.
 *
 * An exit that is an MPTCP socket, fallen back to TCP, drops what its receive queue does not hold (TcpExtRcvPruned).
 */
export async function openListener(host: Host, { means, ...options }: ListenerOptions, signal: AbortSignal): Promise<Preparation> {
  if (means.kind === "native") return { args: [], finish: () => Promise.resolve() };
  await endNamed(host, NAME, signal);
  const text = relayListenerConfig({ ...options, means, statsSocket: STATS, runAs: { user: PROXY_USER, group: PROXY_USER } });
  await host.files.replace(CONFIGURATION, new TextEncoder().encode(text), 0o600);
  await host.files.remove(STATS);
  const specification = { ...haproxyCommand(means, CONFIGURATION), revision: text };
  const { pid } = (await startProgram(host, NAME, specification)).record;
  const deadline = host.clock.monotonic() + LIMIT;
  while (!(await answers(host, signal))) {
    if (host.clock.monotonic() > deadline) throw new Error(`HAProxy does not open the relay's listener; see ${logPathOf(NAME)}`);
    await host.clock.sleep(POLL, signal);
  }
  const finish = async (aborted: AbortSignal): Promise<void> => {
    await leaves(host, aborted);
  };
  return { args: ["-x", STATS, "-sf", String(pid)], finish };
}

/** Waits for the listener's HAProxy to go once another has taken over, five seconds at most, and forgets it. */
async function leaves(host: Host, signal: AbortSignal): Promise<void> {
  const deadline = host.clock.monotonic() + LIMIT;
  const record = await readRecord(host, NAME);
  while (record !== undefined && (await isRunning(host, record)) && host.clock.monotonic() < deadline) await host.clock.sleep(POLL, signal);
  await endNamed(host, NAME, signal);
}

async function answers(host: Host, signal: AbortSignal): Promise<boolean> {
  try {
    return (await askProxy(host, STATS, [["show", "info"]], signal)) !== "";
  } catch {
    signal.throwIfAborted();
    return false;
  }
}
