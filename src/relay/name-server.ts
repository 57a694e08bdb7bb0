import type { Host } from "../host/types.ts";
import { Supervisor } from "../process/supervisor.ts";
import { type RelayPlan, serviceAddress } from "./plan.ts";

/** The resolver that homes use over their lanes: dnsmasq on the service address, forwarding to the relay's own resolvers. */
export class NameServer {
  readonly supervisor: Supervisor;
  readonly #host: Host;
  #missing = false;

  constructor(host: Host) {
    this.#host = host;
    this.supervisor = new Supervisor(host, "relay-dns");
  }

  get complaint(): string {
    return this.#missing ? "homes have no resolver: install dnsmasq-base, or name one with option resolver" : "";
  }

  async configure(plan: RelayPlan): Promise<void> {
    const program = await this.#host.processes.find("dnsmasq");
    this.#missing = plan.config.resolver === undefined && program === undefined;
    if (plan.config.resolver !== undefined || program === undefined) {
      this.supervisor.want(undefined);
      return;
    }
    const args = [
      "--keep-in-foreground",
      "--conf-file=/dev/null",
      "--no-hosts",
      `--listen-address=${serviceAddress(plan)}`,
      "--bind-interfaces",
      "--cache-size=2000",
      "--pid-file",
      "--log-facility=-",
    ];
    this.supervisor.want({ program, args, revision: "" });
  }
}
