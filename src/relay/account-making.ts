import type { Host } from "../host/types.ts";
import { type Account, accountLines, findAccount, idOf } from "./accounts.ts";

/** A system user could not be made. */
export class AccountError extends Error {
  override readonly name = "AccountError";
}

const HOME = "/nonexistent";
/** Where OpenWrt's own user_add (/lib/functions.sh) begins. */
const FIRST_ID = 65536;

/** Makes a system user and group of this name unless they are there. Throws an AccountError. */
export async function ensureAccount(host: Host, name: string, signal: AbortSignal): Promise<Account> {
  const there = await findAccount(host, name);
  if (there !== undefined) return there;
  if ((await host.processes.find("useradd")) !== undefined) await makeByShadow(host, name, signal);
  else if ((await host.processes.find("adduser")) !== undefined) await makeByBusybox(host, name, signal);
  else await makeByHand(host, name);
  const made = await findAccount(host, name);
  if (made === undefined) throw new AccountError(`there is no user and group ${name}: make them as a system user without a login`);
  return made;
}

/** Debian and most others (useradd(8) of the shadow tools). */
async function makeByShadow(host: Host, name: string, signal: AbortSignal): Promise<void> {
  if ((await idOf(host, "/etc/group", name)) === undefined) await run(host, "groupadd", ["--system", name], signal);
  if ((await idOf(host, "/etc/passwd", name)) !== undefined) return;
  const look = ["--no-create-home", "--home-dir", HOME, "--shell", "/usr/sbin/nologin"];
  await run(host, "useradd", ["--system", "--gid", name, ...look, name], signal);
}

/** Alpine and others that have busybox's applets. */
async function makeByBusybox(host: Host, name: string, signal: AbortSignal): Promise<void> {
  if ((await idOf(host, "/etc/group", name)) === undefined) await run(host, "addgroup", ["-S", name], signal);
  if ((await idOf(host, "/etc/passwd", name)) !== undefined) return;
  await run(host, "adduser", ["-S", "-D", "-H", "-h", HOME, "-s", "/bin/false", "-G", name, name], signal);
}

/** OpenWrt has no such program: its packages add the lines themselves. */
async function makeByHand(host: Host, name: string): Promise<void> {
  const gid = (await idOf(host, "/etc/group", name)) ?? (await freeId(host));
  if ((await idOf(host, "/etc/group", name)) === undefined) await append(host, "/etc/group", `${name}:x:${gid}:`);
  if ((await idOf(host, "/etc/passwd", name)) !== undefined) return;
  const uid = await freeId(host);
  // The asterisk is no password's hash: nobody logs in. Before the user is, so that it never is without.
  if ((await host.files.status("/etc/shadow")) !== undefined) await append(host, "/etc/shadow", `${name}:*:0:0:99999:7:::`);
  await append(host, "/etc/passwd", `${name}:x:${uid}:${gid}:${name}:${HOME}:/bin/false`);
}

/** One that neither a user nor a group has. */
async function freeId(host: Host): Promise<number> {
  const lines = [...(await accountLines(host, "/etc/passwd")), ...(await accountLines(host, "/etc/group"))];
  const taken = new Set(lines.map((line) => Number(line.split(":")[2])));
  let id = FIRST_ID;
  while (taken.has(id)) id++;
  return id;
}

async function append(host: Host, file: string, line: string): Promise<void> {
  const status = await host.files.status(file);
  const lines = await accountLines(host, file);
  await host.files.replace(file, new TextEncoder().encode([...lines, line].map((each) => `${each}\n`).join("")), status?.mode ?? 0o644);
  if (status !== undefined) await host.files.setOwner(file, status.uid, status.gid);
}

async function run(host: Host, program: string, args: readonly string[], signal: AbortSignal): Promise<void> {
  const result = await host.processes.run(program, args, signal);
  if (result.status === 0) return;
  const said = new TextDecoder()
    .decode(result.stderr)
    .replace(/[^\x20-\x7e]+/g, " ")
    .trim();
  throw new AccountError(`${program} ${args.join(" ")} failed with status ${result.status}: ${said}`);
}
