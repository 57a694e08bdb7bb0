import type { Host } from "../host/types.ts";
import { machineCapacity } from "../proxy/capacity.ts";
import { homeProxyConfig } from "../proxy/home-config.ts";
import { findMptcpMeans, haproxyCommand } from "../proxy/mptcp.ts";
import { setWeights } from "../proxy/weights.ts";
import { proxyUser } from "../proxy/user.ts";
import { Supervisor } from "../process/supervisor.ts";
import { laneAddress, type LaneSnapshot, type Membership, serviceAddress } from "./plan.ts";
import { firstSubflowWeights } from "./weights.ts";

const CONFIGURATION = "/run/binder/proxy.cfg";
const STATS = "/run/binder/proxy.sock";

/** The home's HAProxy: kept running, and told which lanes to start connections on. */
export class HomeProxy {
  readonly supervisor: Supervisor;
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
    this.supervisor = new Supervisor(host, "proxy");
  }

  /** Says what HAProxy should be for this membership; undefined: none. Throws MptcpMeansError if the machine lacks something. */
  async configure(membership: Membership | undefined, signal: AbortSignal): Promise<void> {
    if (membership === undefined) {
      this.supervisor.want(undefined);
      return;
    }
    const means = await findMptcpMeans(this.#host, signal);
    const text = homeProxyConfig({
      means,
      service: serviceAddress(membership),
      laneAddress: (lane) => laneAddress(membership, lane),
      maximumConnections: await machineCapacity(this.#host),
      statsSocket: STATS,
      runAs: await proxyUser(this.#host),
    });
    await this.#host.files.replace(CONFIGURATION, new TextEncoder().encode(text), 0o600);
    this.supervisor.want({ ...haproxyCommand(means, CONFIGURATION), revision: text });
  }

  /** Tells HAProxy where new connections start. Rejects while HAProxy doesn't listen. */
  async spread(lanes: readonly LaneSnapshot[], signal: AbortSignal): Promise<void> {
    await setWeights(this.#host, STATS, firstSubflowWeights(lanes), signal);
  }
}
