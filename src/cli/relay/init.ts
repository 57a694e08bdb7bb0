import type { Host } from "../../host/types.ts";
import { isRelayName, RELAY_NAME_RULE } from "../../invite/names.ts";
import { parseIpv4 } from "../../plan/addresses.ts";
import { isUnicast } from "../../plan/homes.ts";
import { DEFAULT_BASE_PORT, MAX_GATEWAY } from "../../plan/numbers.ts";
import { ensureAccount } from "../../relay/account-making.ts";
import { readBook } from "../../relay/book-file.ts";
import { withBookLock } from "../../relay/book-lock.ts";
import { syncEntries } from "../../relay/client-entries.ts";
import { type FirstSettings, finishedConfig, firstConfig, nameFromHost } from "../../relay/first-config.ts";
import { ensureRelayKeys } from "../../relay/keys.ts";
import { isPrivate, ownAddress } from "../../relay/own-address.ts";
import { PROXY_USER, RELAY_CONFIG, RELAY_DIRECTORY, VPN_USER } from "../../relay/paths.ts";
import { type Arguments, UsageError } from "../arguments.ts";
import { CommandError, runCommand, STATUS } from "../frame.ts";
import { loadSettings } from "./settings.ts";

const usage = `usage: binder relay init [--address ADDRESS]... [--name NAME] [--port PORT]

Makes this machine a relay: its keys and certificates in ${RELAY_DIRECTORY}, the users ${VPN_USER} and ${PROXY_USER}, and
${RELAY_CONFIG}. What is there already stays as it is.

--address ADDRESS  a public IPv4 address of this machine, as homes reach it; default: that of its default route
--name NAME        the relay's name at its homes; default: this machine's name
--port PORT        lane i uses UDP port PORT + i; default: ${DEFAULT_BASE_PORT}
`;

const MAX_PORT = 65535 - MAX_GATEWAY;

export async function initCommand(host: Host, args: readonly string[]): Promise<number> {
  const shape = { usage, values: ["address", "name", "port"], positionals: { least: 0, most: 0 } };
  return await runCommand(host, args, "binder relay init", shape, async (given, signal) => {
    const asked = readAsked(given);
    const say = (line: string): void => {
      host.program.stdout(`${line}\n`);
    };
    const configThere = (await host.files.status(RELAY_CONFIG)) !== undefined;
    const unfinished = configThere && (await loadSettings(host)).addresses.length === 0;
    if (unfinished) await finishConfig(host, asked, signal, say);
    else if (configThere) await refuseOther(host, asked);
    else await writeConfig(host, await complete(host, asked, signal, say));
    const group = await ensureGround(host, signal);
    const made = await withBookLock(host, async () => {
      const book = await readBook(host);
      const anew = await ensureRelayKeys(host, book, signal);
      const settings = await loadSettings(host);
      await syncEntries(host, { prefix: settings.prefix, lanes: settings.lanes, group }, book);
      return anew;
    });
    if (configThere && !unfinished && !made) say("this machine is a relay already: nothing to do");
    else say(`this machine is a relay now; next: binder relay add-home NAME, and binder relay run`);
    return STATUS.well;
  });
}

interface Asked {
  readonly name: string | undefined;
  readonly addresses: readonly string[];
  readonly port: number | undefined;
}

function readAsked(given: Arguments): Asked {
  const name = given.values("name").at(-1);
  if (name !== undefined && !isRelayName(name)) throw new UsageError(`a relay's name ${RELAY_NAME_RULE}; "${name}" is none`);
  const addresses = given.values("address");
  for (const address of addresses) {
    const value = parseIpv4(address);
    if (value === undefined || !isUnicast(value))
      throw new UsageError(`--address is a host's IPv4 address such as 45.0.0.1, not "${address}"`);
  }
  const port = given.values("port").at(-1);
  if (port !== undefined && !(/^[1-9][0-9]{0,4}$/.test(port) && Number(port) <= MAX_PORT)) {
    throw new UsageError(`--port is 1 to ${MAX_PORT}, not "${port}"`);
  }
  return { name, addresses: [...new Set(addresses)], port: port === undefined ? undefined : Number(port) };
}

/** The configuration is the person's once it is there; init does not change it. */
async function refuseOther(host: Host, asked: Asked): Promise<void> {
  const settings = await loadSettings(host);
  const other: string[] = [];
  if (asked.name !== undefined && asked.name !== settings.name) other.push(`name ${settings.name}`);
  if (asked.port !== undefined && asked.port !== settings.port) other.push(`port ${settings.port}`);
  if (asked.addresses.length > 0 && asked.addresses.join() !== settings.addresses.join())
    other.push(`address ${settings.addresses.join(" ")}`);
  if (other.length > 0) {
    throw new CommandError(
      STATUS.failed,
      `${RELAY_CONFIG} is there already, with ${other.join(", ")}: change it there; homes need new invites then (binder relay rekey)`,
    );
  }
}

async function complete(host: Host, asked: Asked, signal: AbortSignal, say: (line: string) => void): Promise<FirstSettings> {
  const name = asked.name ?? nameFromHost(new TextDecoder().decode(await host.files.read("/proc/sys/kernel/hostname")));
  const port = asked.port ?? DEFAULT_BASE_PORT;
  if (asked.addresses.length > 0) return { name, addresses: asked.addresses, port };
  const own = await ownAddress(host, signal);
  if (own === undefined) throw new CommandError(STATUS.failed, "this machine has no default route: give its public address with --address");
  say(`homes will reach this relay at ${own.address}, the address of ${own.device}; if that is wrong, change it in ${RELAY_CONFIG}`);
  if (isPrivate(own.address)) {
    host.program.stderr(
      `warning: ${own.address} is a private address, which homes elsewhere can't reach: put the public one into ${RELAY_CONFIG}\n`,
    );
  }
  return { name, addresses: [own.address], port };
}

/** The file that the package brings has no address yet. Only what was asked for is put in; all else stays as it is, comments too. */
async function finishConfig(host: Host, asked: Asked, signal: AbortSignal, say: (line: string) => void): Promise<void> {
  const { addresses } = await complete(host, asked, signal, say);
  const edited = finishedConfig(await host.files.read(RELAY_CONFIG), { ...asked, addresses });
  await host.files.replace(RELAY_CONFIG, edited, (await host.files.status(RELAY_CONFIG))?.mode ?? 0o644);
}

async function writeConfig(host: Host, settings: FirstSettings): Promise<void> {
  await host.files.makeDirectory("/etc/config", 0o755);
  await host.files.replace(RELAY_CONFIG, new TextEncoder().encode(firstConfig(settings)), 0o644);
}

/** Users and folders. The relay's folder can be passed through by OpenVPN's user, who reads the homes' entries in it, but not listed. */
async function ensureGround(host: Host, signal: AbortSignal): Promise<number> {
  const { gid } = await ensureAccount(host, VPN_USER, signal);
  await ensureAccount(host, PROXY_USER, signal);
  await host.files.makeDirectory("/etc/binder", 0o755);
  await host.files.makeDirectory(RELAY_DIRECTORY, 0o710);
  const status = await host.files.status(RELAY_DIRECTORY);
  if (status?.gid !== gid) await host.files.setOwner(RELAY_DIRECTORY, 0, gid);
  return gid;
}
