import type { FileStatus, Host } from "../host/types.ts";
import { type Prefix, homeAddress } from "../plan/addresses.ts";
import { blockNetmask } from "../plan/homes.ts";
import { MAX_GATEWAY } from "../plan/numbers.ts";
import type { Book, Home } from "./homes.ts";
import { clientEntries } from "./paths.ts";

/** What decides the entries, besides the book. */
export interface EntryPlan {
  readonly prefix: Prefix;
  /** Lane servers: 1 to this many. */
  readonly lanes: number;
  /** Group that the OpenVPN servers run as; it may read the entries, the world may not. */
  readonly group: number;
}

const DIRECTORY_MODE = 0o750;
const ENTRY_MODE = 0o640;

/**
 * A home's entry for a lane's server (openvpn(8), --client-config-dir): its address there, and its others behind it, as what it acknowledges
 * for one lane may come by another. All that there may be: a session that stands when the relay gets more lanes knows them too.
 */
export function entryText(prefix: Prefix, lane: number, home: number): string {
  const others = Array.from({ length: MAX_GATEWAY + 1 }, (_, block) => block).filter((block) => block !== lane);
  const behind = others.map((block) => `iroute ${homeAddress(prefix, block, home)}\n`).join("");
  return `ifconfig-push ${homeAddress(prefix, lane, home)} ${blockNetmask(prefix)}\n${behind}`;
}

/** Lets a home in on every lane. The directories are there already ({@link syncEntries}). */
export async function writeEntries(host: Host, plan: EntryPlan, home: Home): Promise<void> {
  const written = await Promise.allSettled(lanesOf(plan).map(async (lane) => await writeEntry(host, plan, lane, home)));
  for (const result of written) if (result.status === "rejected") throw result.reason;
}

/** Shuts a common name out on every lane, whatever the number of lanes was when it was let in. */
export async function removeEntries(host: Host, cn: string): Promise<void> {
  for (const lane of await lanesThere(host)) await host.files.remove(`${clientEntries(lane)}/${cn}`);
}

/**
 * Makes the entries those of the book: missing ones are written, others removed, right ones left alone. After a change of the
 * configuration, or a command that was cut off.
 */
export async function syncEntries(host: Host, plan: EntryPlan, book: Book): Promise<void> {
  for (const lane of await lanesThere(host)) if (lane > plan.lanes) await host.files.remove(clientEntries(lane));
  await ensureDirectory(host, parentOf(clientEntries(1)), plan.group);
  for (const lane of lanesOf(plan)) await syncLane(host, plan, lane, book);
}

async function syncLane(host: Host, plan: EntryPlan, lane: number, book: Book): Promise<void> {
  const directory = clientEntries(lane);
  await ensureDirectory(host, directory, plan.group);
  const wanted = new Set(book.homes.map(({ cn }) => cn));
  for (const name of await host.files.list(directory)) if (!wanted.has(name)) await host.files.remove(`${directory}/${name}`);
  for (const home of book.homes) if (!(await isRight(host, plan, lane, home))) await writeEntry(host, plan, lane, home);
}

async function isRight(host: Host, plan: EntryPlan, lane: number, home: Home): Promise<boolean> {
  const path = `${clientEntries(lane)}/${home.cn}`;
  const status = await host.files.status(path);
  if (status === undefined || !belongs(status, plan.group, ENTRY_MODE)) return false;
  return new TextDecoder().decode(await host.files.read(path)) === entryText(plan.prefix, lane, home.number);
}

async function writeEntry(host: Host, plan: EntryPlan, lane: number, home: Home): Promise<void> {
  const path = `${clientEntries(lane)}/${home.cn}`;
  await host.files.replace(path, new TextEncoder().encode(entryText(plan.prefix, lane, home.number)), ENTRY_MODE);
  await host.files.setOwner(path, 0, plan.group);
}

async function ensureDirectory(host: Host, path: string, group: number): Promise<void> {
  await host.files.makeDirectory(path, DIRECTORY_MODE);
  const status = await host.files.status(path);
  if (status === undefined || !belongs(status, group, DIRECTORY_MODE)) await host.files.setOwner(path, 0, group);
}

const belongs = (status: FileStatus, group: number, mode: number): boolean =>
  status.uid === 0 && status.gid === group && status.mode === mode;

const lanesOf = (plan: EntryPlan): readonly number[] => Array.from({ length: plan.lanes }, (_, index) => index + 1);

async function lanesThere(host: Host): Promise<readonly number[]> {
  const parent = parentOf(clientEntries(1));
  if ((await host.files.status(parent)) === undefined) return [];
  return (await host.files.list(parent)).map(Number).filter((lane) => Number.isInteger(lane) && lane > 0);
}

const parentOf = (path: string): string => path.slice(0, path.lastIndexOf("/"));
