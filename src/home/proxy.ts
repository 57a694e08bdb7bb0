import { RUN_DIRECTORY } from "../plan/run-directory.ts";
import type { Host } from "../host/types.ts";
import { machineCapacity } from "../proxy/capacity.ts";
import { homeProxyConfig } from "../proxy/home-config.ts";
import { findMptcpMeans, haproxyCommand, type MptcpMeans, MptcpMeansError } from "../proxy/mptcp.ts";
import { endSessions } from "../proxy/sessions.ts";
import { setWeights } from "../proxy/weights.ts";
import { proxyUser } from "../proxy/user.ts";
import { keepFile } from "../process/keep-file.ts";
import { Supervisor } from "../process/supervisor.ts";
import { laneAddress, type LaneSnapshot, type Membership, serviceAddress } from "./plan.ts";
import { firstSubflowWeights } from "./weights.ts";

const CONFIGURATION = `${RUN_DIRECTORY}/proxy.cfg`;
const STATS = `${RUN_DIRECTORY}/proxy.sock`;
/** A HAProxy that a former daemon started is looked at this often (ms): nothing that it has open tells of its end. */
const LOOK_EVERY = 300;
/** HAProxy's servers as they were last set: one that was killed starts with the lanes that the former one had. */
const STATE = `${RUN_DIRECTORY}/proxy.state`;

/** The home's HAProxy: kept running, and told which lanes to start connections on. */
export class HomeProxy {
  readonly supervisor: Supervisor;
  readonly #host: Host;
  #complaint = "";

  /** `onStart` is called when HAProxy was started and has to be told its lanes. */
  constructor(host: Host, onStart: () => void) {
    this.#host = host;
    this.supervisor = new Supervisor(host, "proxy", { onStart, lookEvery: LOOK_EVERY });
  }

  /** What this machine lacks to run it; empty if nothing. */
  get complaint(): string {
    return this.#complaint;
  }

  /** Says what HAProxy should be for this membership; undefined: none. What the machine lacks is the {@link complaint}. */
  async configure(membership: Membership | undefined, signal: AbortSignal): Promise<void> {
    if (membership === undefined) {
      this.#complaint = "";
      this.supervisor.want(undefined);
      return;
    }
    const means = await this.#findMeans(signal);
    if (means === undefined) return;
    const text = homeProxyConfig({
      means,
      service: serviceAddress(membership),
      laneAddress: (lane) => laneAddress(membership, lane),
      maximumConnections: await machineCapacity(this.#host),
      statsSocket: STATS,
      stateFile: STATE,
      runAs: await proxyUser(this.#host),
    });
    await keepFile(this.#host, CONFIGURATION, text, 0o600);
    this.supervisor.want({ ...haproxyCommand(means, CONFIGURATION), revision: text });
  }

  async #findMeans(signal: AbortSignal): Promise<MptcpMeans | undefined> {
    try {
      const means = await findMptcpMeans(this.#host, signal);
      this.#complaint = "";
      return means;
    } catch (error) {
      if (!(error instanceof MptcpMeansError)) throw error;
      this.#complaint = error.message;
      return undefined;
    }
  }

  /** Ends the sessions whose connections to the relay began at these addresses. Rejects while HAProxy doesn't listen. */
  async endSessions(sources: ReadonlySet<string>, signal: AbortSignal): Promise<void> {
    await endSessions(this.#host, STATS, sources, signal);
  }

  /** Tells HAProxy where new connections start: at `unfit` lanes only if there are no others. Rejects while HAProxy doesn't listen. */
  async spread(lanes: readonly LaneSnapshot[], unfit: ReadonlySet<number>, signal: AbortSignal): Promise<void> {
    const state = await setWeights(this.#host, STATS, firstSubflowWeights(lanes, unfit), signal);
    if (state !== undefined) await this.#host.files.replace(STATE, new TextEncoder().encode(state), 0o644);
  }
}
