/**
 * The text within an invite. Lines of printable ASCII, each ended by a line feed: a field's name, one space, its value.
 *
 *     relay school            the relay's name
 *     home anna               the home's
 *     number 2                the home's number
 *     address 45.0.0.1        a public address of the relay; again for each further one
 *     port 21300              base port: lane i is UDP port + i
 *     prefix 198.19.0.0/16
 *     resolver 198.19.0.1
 *     ca MIIB…                what is between BEGIN and END of the PEM text, in one line
 *     certificate MIIB…
 *     key MIGH…
 *     tls-crypt-v2 TVKI…
 *     crc32 1c291ca3          CRC-32 of all bytes before this line, eight lower-case hexadecimal digits
 *
 * Fields stand in this order, all of them, once each (address: one to eight times). The invite is `binder://v1/` and base64url without
 * padding (RFC 4648) of these bytes. Whatever changes in meaning becomes v2.
 */
import { decodeBase64, encodeBase64 } from "./base64.ts";
import { InviteError } from "./error.ts";
import { formatPem, isWellFormed, type PemLabel, parsePem } from "./pem.ts";
import type { Invite } from "./types.ts";

const LABELS = {
  ca: "CERTIFICATE",
  certificate: "CERTIFICATE",
  key: "PRIVATE KEY",
  "tls-crypt-v2": "OpenVPN tls-crypt-v2 client key",
} as const satisfies Readonly<Record<string, PemLabel>>;

type PemField = keyof typeof LABELS;

const ORDER = ["relay", "home", "number", "address", "port", "prefix", "resolver", "ca", "certificate", "key", "tls-crypt-v2"] as const;
type Field = (typeof ORDER)[number];

/** The lines of a valid invite, without the checksum. */
export function formatText(invite: Invite): string {
  const lines = [
    `relay ${invite.relay}`,
    `home ${invite.home}`,
    `number ${invite.number}`,
    ...invite.addresses.map((address) => `address ${address}`),
    `port ${invite.port}`,
    `prefix ${invite.prefix}`,
    `resolver ${invite.resolver}`,
    `ca ${stripPem("ca", invite.authority)}`,
    `certificate ${stripPem("certificate", invite.certificate)}`,
    `key ${stripPem("key", invite.key)}`,
    `tls-crypt-v2 ${stripPem("tls-crypt-v2", invite.tlsCrypt)}`,
  ];
  return lines.map((line) => `${line}\n`).join("");
}

/** Reads what {@link formatText} writes; the values are yet to be checked. Throws an InviteError. */
export function parseText(text: string): Invite {
  const values = new Map<Field, string[]>();
  let place = 0;
  for (const line of text.split("\n").slice(0, -1)) {
    const space = line.indexOf(" ");
    const field = ORDER.find((name) => name === line.slice(0, space));
    if (field === undefined) throw fault("has a field that this Binder does not know: update Binder");
    if (ORDER.indexOf(field) < place) throw fault(`has its field ${field} out of order`);
    place = ORDER.indexOf(field);
    values.set(field, [...(values.get(field) ?? []), line.slice(space + 1)]);
  }
  const once = (field: Exclude<Field, "address">): string => {
    const [value, ...more] = values.get(field) ?? [];
    if (value === undefined) throw fault(`lacks its field ${field}`);
    if (more.length > 0) throw fault(`has its field ${field} twice`);
    return value;
  };
  return {
    relay: once("relay"),
    home: once("home"),
    number: wholeNumber("number", once("number")),
    addresses: values.get("address") ?? [],
    port: wholeNumber("port", once("port")),
    prefix: once("prefix"),
    resolver: once("resolver"),
    authority: wrapPem("ca", once("ca")),
    certificate: wrapPem("certificate", once("certificate")),
    key: wrapPem("key", once("key")),
    tlsCrypt: wrapPem("tls-crypt-v2", once("tls-crypt-v2")),
  };
}

function wholeNumber(field: Field, text: string): number {
  if (!/^(0|[1-9][0-9]{0,5})$/.test(text)) throw fault(`has a ${field} that is no whole number`);
  return Number(text);
}

function stripPem(field: PemField, pem: string): string {
  const bytes = parsePem(LABELS[field], pem);
  if (bytes === undefined) throw fault(`would have a ${field} that is not one PEM ${LABELS[field]}`);
  return encodeBase64(bytes);
}

function wrapPem(field: PemField, base64: string): string {
  const bytes = decodeBase64(base64);
  if (bytes === undefined || !isWellFormed(LABELS[field], bytes)) throw fault(`has a ${field} that is no ${LABELS[field]}`);
  return formatPem(LABELS[field], bytes);
}

/** The checksum fits, so it came as it was made: only its maker can help. */
const fault = (what: string): InviteError =>
  new InviteError("field", `the invite ${what}; if that does not help, ask the relay's keeper for a new one`);
