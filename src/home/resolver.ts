import type { Host } from "../host/types.ts";
import { aliasOfGateway, type HomeObservation, type HomePlan, liveLanes } from "./plan.ts";

/** What dnsmasq reads (`servers-file`, dnsmasq(8)): the resolvers that work now. */
export const SERVERS_FILE = "/run/binder/servers";
const PID_FILES = "/run/dnsmasq";

/** The text of the servers file: over the lanes while a relay answers, otherwise each gateway's own resolver through that gateway. */
export function serversText(plan: HomePlan, seen: HomeObservation): string {
  const { membership } = plan;
  if (membership !== undefined && liveLanes(seen.lanes).length > 0) return `server=${membership.resolver}\n`;
  // One that is known not to work would only be waited for.
  const usable = plan.gateways.filter(({ number }) => seen.direct.length === 0 || seen.direct.includes(number));
  return usable
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
    if (text === this.#text && (await this.#host.files.status(SERVERS_FILE)) !== undefined) return;
    await this.#host.files.replace(SERVERS_FILE, new TextEncoder().encode(text), 0o644);
    this.#text = text;
    await tellDnsmasq(this.#host);
  }
}

/**
 * Takes all of Binder's resolvers away. Where a dnsmasq runs the file stays, empty: dnsmasq keeps the old ones if it can't read it
 * (read_servers_file, dnsmasq's option.c).
 */
export async function clearServers(host: Host): Promise<void> {
  if ((await host.files.status(SERVERS_FILE)) === undefined) return;
  await host.files.replace(SERVERS_FILE, new Uint8Array(), 0o644);
  if (!(await tellDnsmasq(host))) await host.files.remove(SERVERS_FILE);
}

/** dnsmasq reads the file again on SIGHUP. The pid of a file that outlived its dnsmasq may be another program's by now. Answers whether one runs. */
async function tellDnsmasq(host: Host): Promise<boolean> {
  let told = false;
  if ((await host.files.status(PID_FILES)) === undefined) return told;
  for (const file of await host.files.list(PID_FILES)) {
    if (!file.endsWith(".pid")) continue;
    const pid = Number(new TextDecoder().decode(await host.files.read(`${PID_FILES}/${file}`)).trim());
    if (!Number.isInteger(pid) || pid <= 1 || (await commandOf(host, pid)) !== "dnsmasq") continue;
    told = host.processes.kill(pid, "SIGHUP") || told;
  }
  return told;
}

async function commandOf(host: Host, pid: number): Promise<string> {
  try {
    return new TextDecoder().decode(await host.files.read(`/proc/${pid}/comm`)).trim();
  } catch {
    // It has ended.
    return "";
  }
}
