import { RUN_DIRECTORY } from "../plan/run-directory.ts";
import type { Host } from "../host/types.ts";
import { blockLength, formatIpv4, formatPrefix } from "../plan/addresses.ts";
import { keepFile } from "../process/keep-file.ts";
import { type Preparation, Supervisor } from "../process/supervisor.ts";
import { machineCapacity } from "../proxy/capacity.ts";
import { findMptcpMeans, plainHaproxyCommand } from "../proxy/mptcp.ts";
import { relayProxyConfig } from "../proxy/relay-config.ts";
import { refusedPorts, refusedPrefixes } from "./confinement.ts";
import { openListener } from "./exit-listener.ts";
import { PROXY_USER } from "./paths.ts";
import { type RelayPlan, serviceAddress } from "./plan.ts";

const CONFIGURATION = `${RUN_DIRECTORY}/relay-proxy.cfg`;

/** The relay's HAProxy: MPTCP toward the homes, TCP toward the servers. */
export class ExitProxy {
  readonly supervisor: Supervisor;
  readonly #host: Host;
  #open: ((signal: AbortSignal) => Promise<Preparation>) | undefined;

  constructor(host: Host) {
    this.#host = host;
    this.supervisor = new Supervisor(host, "relay-proxy", {
      prepare: async (signal) => {
        if (this.#open === undefined) throw new Error("the relay's proxy is started before it is configured");
        return await this.#open(signal);
      },
    });
  }

  /** Throws MptcpMeansError if the machine lacks something. */
  async configure(plan: RelayPlan, signal: AbortSignal): Promise<void> {
    const { prefix, connections } = plan.config;
    const means = await findMptcpMeans(this.#host, signal);
    const service = serviceAddress(plan);
    const capacity = await machineCapacity(this.#host);
    this.#open = async (aborted) => await openListener(this.#host, { means, service, maximumConnections: capacity }, aborted);
    const text = relayProxyConfig({
      means,
      service,
      lanePrefix: formatPrefix(prefix),
      homeMask: formatIpv4(2 ** (32 - blockLength(prefix)) - 1),
      refused: refusedPrefixes(plan),
      refusedPorts: refusedPorts(plan),
      maximumConnections: capacity,
      // On a small machine no home may take all that it carries.
      connectionsPerHome: Math.min(connections, Math.ceil(capacity / 2)),
      statsSocket: `${RUN_DIRECTORY}/relay-proxy.sock`,
      runAs: { user: PROXY_USER, group: PROXY_USER },
    });
    await keepFile(this.#host, CONFIGURATION, text, 0o600);
    this.supervisor.want({ ...plainHaproxyCommand(means, CONFIGURATION), revision: text });
  }
}
