import { RUN_DIRECTORY } from "../plan/run-directory.ts";
import type { Host } from "../host/types.ts";
import { keepFile } from "../process/keep-file.ts";
import { tellDnsmasq } from "./dnsmasq.ts";
import { aliasOfGateway, type HomeObservation, type HomePlan, liveLanes } from "./plan.ts";

/** What dnsmasq reads (`servers-file`, dnsmasq(8)): the resolvers that work now. */
export const SERVERS_FILE = `${RUN_DIRECTORY}/servers`;
/** The same for a dnsmasq in OpenWrt's jail, where it can read: /usr/libexec/binder-names makes it. */
const JAILED_FILE = "/var/run/dnsmasq/binder.servers";

/** The text of the servers file: over the lanes while a relay answers, otherwise each gateway's own resolver through that gateway. */
export function serversText(plan: HomePlan, seen: HomeObservation): string {
  const { membership } = plan;
  if (membership !== undefined && liveLanes(seen.lanes).length > 0) return `server=${membership.resolver}\n`;
  // One that is known not to work would only be waited for.
  const usable = plan.gateways.filter(({ number }) => seen.direct.length === 0 || seen.direct.includes(number));
  return usable
    .flatMap(({ number, way }) => way.resolvers.map((resolver) => `server=${resolver}@${aliasOfGateway(plan, number)}\n`))
    .join("");
}

/** Keeps dnsmasq's servers file what it should be. */
export async function setServers(host: Host, plan: HomePlan, seen: HomeObservation): Promise<void> {
  if (await writeServers(host, serversText(plan, seen))) await tellDnsmasq(host);
}

/**
 * Takes all of Binder's resolvers away. Where a dnsmasq runs the file stays, empty: dnsmasq keeps the old ones if it can't read it
 * (read_servers_file, dnsmasq's option.c).
 */
export async function clearServers(host: Host): Promise<void> {
  if ((await host.files.status(SERVERS_FILE)) === undefined) return;
  await writeServers(host, "");
  if (!(await tellDnsmasq(host))) await host.files.remove(SERVERS_FILE);
}

/** Answers whether anything is another now. */
async function writeServers(host: Host, text: string): Promise<boolean> {
  const written = await keepFile(host, SERVERS_FILE, text, 0o644);
  return (await host.files.status(JAILED_FILE)) === undefined ? written : (await keepFile(host, JAILED_FILE, text, 0o644)) || written;
}
