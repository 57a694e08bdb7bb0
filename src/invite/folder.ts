import type { Host } from "../host/types.ts";
import { decodeInvite } from "./codec.ts";
import { crc32 } from "./crc32.ts";
import { InviteError } from "./error.ts";
import type { Invite } from "./types.ts";

/** Where a home keeps what one relay's invite brought. All are absolute paths of files with mode 0600. */
export interface RelayFolder {
  /** Mode 0700. */
  readonly directory: string;
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
  readonly tlsCrypt: string;
  /** The invite itself, one line: the home's number, prefix and resolver are read from it. */
  readonly invite: string;
}

export function relayFolder(relay: string): RelayFolder {
  const directory = `/etc/binder/${relay}`;
  return {
    directory,
    authority: `${directory}/ca.crt`,
    certificate: `${directory}/home.crt`,
    key: `${directory}/home.key`,
    tlsCrypt: `${directory}/tls-crypt-v2.key`,
    invite: `${directory}/invite`,
  };
}

/** The invite that this home joined the relay with; undefined if it has not joined. Throws an InviteError if the file is damaged. */
export async function readJoined(host: Host, relay: string): Promise<Invite | undefined> {
  const { invite } = relayFolder(relay);
  if ((await host.files.status(invite)) === undefined) return undefined;
  try {
    return decodeInvite(new TextDecoder().decode(await host.files.read(invite)));
  } catch (error) {
    if (!(error instanceof InviteError)) throw error;
    throw new InviteError(error.fault, `${invite} is damaged: run binder join again with the relay's invite`, { cause: error });
  }
}

/** A number that changes when one of the relay's keys or certificates does. What can't be read counts as absent. */
export async function keysChecksum(host: Host, relay: string): Promise<number> {
  const { authority, certificate, key, tlsCrypt } = relayFolder(relay);
  const sums: string[] = [];
  for (const path of [authority, certificate, key, tlsCrypt]) {
    const there = (await host.files.status(path)) !== undefined;
    sums.push(there ? String(crc32(await host.files.read(path))) : "-");
  }
  return crc32(new TextEncoder().encode(sums.join(" ")));
}
