import type { Host } from "../host/types.ts";
import { aliasOfGateway, type HomeObservation, type HomePlan, liveLanes } from "./plan.ts";

/** What dnsmasq reads (`servers-file`, dnsmasq(8)): the resolvers that work now. */
export const SERVERS_FILE = "/run/binder/servers";
const PID_FILES = "/run/dnsmasq";

/** The text of the servers file: over the lanes while a relay answers, otherwise each gateway's own resolver through that gateway. */
export function serversText(plan: HomePlan, seen: HomeObservation): string {
  const { membership } = plan;
  if (membership !== undefined && liveLanes(seen.lanes).length > 0) return `server=${membership.resolver}\n`;
  return plan.gateways
    .map(({ number, section }) => (section.reach.kind === "via" ? `server=${section.reach.via}@${aliasOfGateway(plan, number)}\n` : ""))
    .join("");
}

/** Keeps dnsmasq's servers file what it should be. */
export class Resolver {
  readonly #host: Host;
  #text: string | undefined;

  constructor(host: Host) {
    this.#host = host;
  }

  async set(plan: HomePlan, seen: HomeObservation): Promise<void> {
    const text = serversText(plan, seen);
    if (text === this.#text) return;
    await this.#host.files.replace(SERVERS_FILE, new TextEncoder().encode(text), 0o644);
    this.#text = text;
    await this.#tellDnsmasq();
  }

  /** dnsmasq reads the file again on SIGHUP. */
  async #tellDnsmasq(): Promise<void> {
    if ((await this.#host.files.status(PID_FILES)) === undefined) return;
    for (const file of await this.#host.files.list(PID_FILES)) {
      if (!file.endsWith(".pid")) continue;
      const pid = Number(new TextDecoder().decode(await this.#host.files.read(`${PID_FILES}/${file}`)).trim());
      if (Number.isInteger(pid) && pid > 1) this.#host.processes.kill(pid, "SIGHUP");
    }
  }
}
