import type { Host } from "../host/types.ts";
import { makeAuthority, makeCertificate } from "../pki/certificate.ts";
import { PkiError } from "../pki/error.ts";
import { hexOf } from "../plan/hex.ts";
import { makeTlsCryptClientKey, makeTlsCryptServerKey } from "../pki/tls-crypt.ts";
import type { Book, Home } from "./homes.ts";
import { RELAY_KEYS } from "./paths.ts";

const MODE = 0o600;

/**
 * Makes the relay's authority, server certificate and keys unless all are there; true if it made them. A set that was cut off half-way
 * is made anew as long as no home relies on it. Throws a PkiError.
 */
export async function ensureRelayKeys(host: Host, book: Book, signal: AbortSignal): Promise<boolean> {
  const missing: string[] = [];
  for (const path of Object.values(RELAY_KEYS)) if ((await host.files.status(path)) === undefined) missing.push(path);
  if (missing.length === 0) return false;
  if (book.homes.length > 0) {
    throw new PkiError(
      `${missing.join(", ")} missing, and homes rely on it: put it back from a copy, or remove every home, init, and add them again`,
    );
  }
  const authority = await makeAuthority(host, `binder-authority-${hexOf(host.random(8))}`, signal);
  await host.files.replace(RELAY_KEYS.authority, authority.certificate, MODE);
  await host.files.replace(RELAY_KEYS.authorityKey, authority.key, MODE);
  const server = await makeCertificate(host, "server", "relay", authorityFiles, signal);
  await host.files.replace(RELAY_KEYS.certificate, server.certificate, MODE);
  await host.files.replace(RELAY_KEYS.key, server.key, MODE);
  // The last one: a set with it was made whole.
  await host.files.replace(RELAY_KEYS.tlsCrypt, await makeTlsCryptServerKey(host, signal), MODE);
  return true;
}

/** What an invite has of keys: PEM texts. */
export interface HomeKeys {
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
  readonly tlsCrypt: string;
}

/** Makes a home's keys. They are kept nowhere at the relay. Throws a PkiError. */
export async function makeHomeKeys(host: Host, home: Home, signal: AbortSignal): Promise<HomeKeys> {
  // One after the other: were one to fail while another is at work, its files would be left behind.
  const pair = await makeCertificate(host, "client", home.cn, authorityFiles, signal);
  const tlsCrypt = await makeTlsCryptClientKey(host, RELAY_KEYS.tlsCrypt, signal);
  const authority = await host.files.read(RELAY_KEYS.authority);
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  return { authority: text(authority), certificate: text(pair.certificate), key: text(pair.key), tlsCrypt: text(tlsCrypt) };
}

const authorityFiles = { certificate: RELAY_KEYS.authority, key: RELAY_KEYS.authorityKey };
