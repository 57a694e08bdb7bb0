import type { Host } from "../../host/types.ts";
import { encodeInvite } from "../../invite/codec.ts";
import { readJoined, type RelayFolder, relayFolder } from "../../invite/folder.ts";
import { InviteError } from "../../invite/error.ts";
import type { Invite } from "../../invite/types.ts";
import { CommandError, STATUS } from "../frame.ts";

const FILE_MODE = 0o600;

/** Writes what the invite brings into its folder; true if anything there was different. */
export async function storeKeys(host: Host, invite: Invite, replace: boolean): Promise<boolean> {
  const folder = relayFolder(invite.relay);
  await refuseStranger(host, folder, invite, replace);
  await host.files.makeDirectory("/etc/binder", 0o755);
  await host.files.makeDirectory(folder.directory, 0o700);
  // The invite comes last: it says that all is there.
  const files: readonly (readonly [string, string])[] = [
    [folder.authority, invite.authority],
    [folder.certificate, invite.certificate],
    [folder.key, invite.key],
    [folder.tlsCrypt, invite.tlsCrypt],
    [folder.invite, `${encodeInvite(invite)}\n`],
  ];
  let changed = false;
  for (const [path, text] of files) changed = (await store(host, path, text)) || changed;
  return changed;
}

async function store(host: Host, path: string, text: string): Promise<boolean> {
  const status = await host.files.status(path);
  if (status?.mode === FILE_MODE && new TextDecoder().decode(await host.files.read(path)) === text) return false;
  await host.files.replace(path, new TextEncoder().encode(text), FILE_MODE);
  return true;
}

/** Another relay may bear the same name: its keys are not to be lost by a paste. */
async function refuseStranger(host: Host, folder: RelayFolder, invite: Invite, replace: boolean): Promise<void> {
  if ((await host.files.status(`${folder.directory}/ca.key`)) !== undefined) {
    throw new CommandError(
      STATUS.failed,
      `${folder.directory} has this machine's own relay in it: ask for an invite of a relay with another name than ${invite.relay}`,
    );
  }
  if (replace) return;
  const former = await readJoined(host, invite.relay).catch((error: unknown) => {
    if (error instanceof InviteError) return undefined;
    throw error;
  });
  if (former === undefined || former.authority === invite.authority) return;
  throw new CommandError(
    STATUS.failed,
    `this home has joined another relay with the name ${invite.relay} (${former.addresses.join(", ")}); if that one was set up anew, join with --replace`,
  );
}
