import type { Host } from "../host/types.ts";
import { decodeInvite } from "../invite/codec.ts";
import { relayFolder } from "../invite/folder.ts";
import type { Invite } from "../invite/types.ts";
import { parsePrefix } from "../plan/addresses.ts";
import { UciError } from "../uci-parser/index.ts";
import { CommandError, runCommand, STATUS } from "./frame.ts";
import { editConfig } from "./join/edit-config.ts";
import { storeKeys } from "./join/keys.ts";
import { findOverlap } from "./join/overlap.ts";
import { readPasted } from "./join/read-pasted.ts";
import { tellHome } from "./join/tell.ts";

const HOME_CONFIG = "/etc/config/binder";

const usage = `usage: binder join [--replace] [FILE]

Joins a relay with the invite that binder relay add-home printed there. The invite is read from FILE, or from standard input (-, the
default): paste it, then Ctrl-D. It is never given as an argument, as it holds a private key.

Writes the keys into /etc/binder/RELAY/ and the relay's section into ${HOME_CONFIG}; all else in that file stays as it is.

--replace  even if this home has joined another relay with the same name
`;

/** `binder join`; answers the exit status. */
export async function joinCommand(host: Host, args: readonly string[]): Promise<number> {
  const shape = { usage, flags: ["replace"], positionals: { least: 0, most: 1 } };
  return await runCommand(host, args, "binder join", shape, async (given, signal) => {
    const [source = "-"] = given.positionals;
    const invite = decodeInvite(await readPasted(host, source));
    await refuseOverlap(host, invite, signal);
    const edited = await editedConfig(host, invite);
    const keysChanged = await storeKeys(host, invite, given.flags.has("replace"));
    if (edited !== undefined) await writeConfig(host, edited);
    const what = `relay ${invite.relay} (${invite.addresses.join(", ")}) as home ${invite.home}, number ${invite.number}`;
    if (!keysChanged && edited === undefined) {
      host.program.stdout(`This home has joined ${what} already: nothing changed.\n`);
      return STATUS.well;
    }
    host.program.stdout(`This home has joined ${what}.\nKeys: ${relayFolder(invite.relay).directory}/   Configuration: ${HOME_CONFIG}\n`);
    const told = await tellHome(host, signal);
    host.program.stdout(
      told
        ? "The running Binder has taken it up.\n"
        : `Next: name your LAN and gateways in ${HOME_CONFIG}, then binder check, then binder run.\n`,
    );
    return STATUS.well;
  });
}

async function refuseOverlap(host: Host, invite: Invite, signal: AbortSignal): Promise<void> {
  const prefix = parsePrefix(invite.prefix);
  const route = prefix === undefined ? undefined : await findOverlap(host, prefix, signal);
  if (route === undefined) return;
  throw new CommandError(
    STATUS.failed,
    `the relay's prefix ${invite.prefix} overlaps a route of this home: ${route}; ask the relay's keeper for another prefix, or take that route away`,
  );
}

/** Undefined if the file says it all already. */
async function editedConfig(host: Host, invite: Invite): Promise<Uint8Array | undefined> {
  const bytes = (await host.files.status(HOME_CONFIG)) === undefined ? undefined : await host.files.read(HOME_CONFIG);
  try {
    return editConfig(bytes, { name: invite.relay, addresses: invite.addresses, port: invite.port });
  } catch (error) {
    if (error instanceof UciError) {
      throw new CommandError(
        STATUS.configuration,
        `${HOME_CONFIG}, line ${error.line}: ${error.reason}; mend it first (binder check tells more)`,
        { cause: error },
      );
    }
    throw error;
  }
}

async function writeConfig(host: Host, bytes: Uint8Array): Promise<void> {
  const status = await host.files.status(HOME_CONFIG);
  await host.files.makeDirectory("/etc/config", 0o755);
  await host.files.replace(HOME_CONFIG, bytes, status?.mode ?? 0o644);
}
