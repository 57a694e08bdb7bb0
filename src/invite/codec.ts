import { decodeBase64Url, encodeBase64Url } from "./base64.ts";
import { checkInvite } from "./check.ts";
import { crc32 } from "./crc32.ts";
import { InviteError } from "./error.ts";
import { formatText, parseText } from "./text.ts";
import type { Invite } from "./types.ts";

export const INVITE_SCHEME = "binder://";
const VERSION = "v1/";
/** Characters. A line that every terminal, mail and chat program carries. */
export const MAX_INVITE = 6000;

const AGAIN = "copy the whole line again, from binder:// to its end";

/** The one line that `binder relay add-home` prints, without a line feed. Throws an InviteError if a field is wrong. */
export function encodeInvite(invite: Invite): string {
  const wrong = checkInvite(invite);
  if (wrong.length > 0) throw new InviteError("field", `this can't be put into an invite: ${wrong.join("; ")}`);
  const text = formatText(invite);
  const line = `${INVITE_SCHEME}${VERSION}${encodeBase64Url(bytesOf(`${text}${checksumLine(text)}`))}`;
  if (line.length > MAX_INVITE) throw new InviteError("long", `the invite would have ${line.length} characters, more than ${MAX_INVITE}`);
  return line;
}

/** Reads an invite as a person pasted it: white space and line breaks anywhere in it do no harm. Throws an InviteError. */
export function decodeInvite(pasted: string): Invite {
  // Zero-width characters too: some chat programs put them in to break long lines.
  const line = pasted.replace(/[\s\u200b-\u200d\u2060\ufeff]/g, "");
  if (line === "") throw new InviteError("empty", "there is no invite: paste the line that binder relay add-home printed");
  const encoded = afterHead(line);
  if (line.length > MAX_INVITE)
    throw new InviteError("long", `an invite has at most ${MAX_INVITE} characters, this has ${line.length}: ${AGAIN}, and nothing else`);
  const strange = /[^A-Za-z0-9_-]/.exec(encoded);
  if (strange !== null) {
    throw new InviteError(
      "alphabet",
      `the invite has a character that no invite has, ${JSON.stringify(strange[0])}: ${AGAIN}, and nothing else`,
    );
  }
  const invite = parseText(checkedText(encoded));
  const wrong = checkInvite(invite);
  if (wrong.length > 0) {
    throw new InviteError("field", `the invite came whole, but is wrong: ${wrong.join("; ")}; ask the relay's keeper for a new one`);
  }
  return invite;
}

/** What follows `binder://v1/`. */
function afterHead(line: string): string {
  const head = `${INVITE_SCHEME}${VERSION}`;
  if (line.startsWith(head)) return line.slice(head.length);
  if (head.startsWith(line)) throw cutShort();
  if (/^binder:\/\/v[0-9]+\//.test(line))
    throw new InviteError("version", "the invite was made by a newer relay: update Binder at this home");
  throw new InviteError("scheme", `an invite begins with ${head}, this text does not: ${AGAIN}`);
}

/** The text before the checksum's line, once that fits. */
function checkedText(encoded: string): string {
  // Four characters carry three bytes; one alone carries none, so its fellows are missing.
  if (encoded.length % 4 === 1) throw cutShort();
  const bytes = decodeBase64Url(encoded);
  // The alphabet was checked, so the last character stops within a byte.
  if (bytes === undefined) throw cutShort();
  const whole = textOf(bytes);
  if (whole === undefined) throw mangled();
  const at = whole.lastIndexOf("\n", whole.length - 2) + 1;
  if (!/^crc32 [0-9a-f]{8}\n$/.test(whole.slice(at))) throw cutShort();
  const text = whole.slice(0, at);
  if (checksumLine(text) !== whole.slice(at)) throw mangled();
  return text;
}

const cutShort = (): InviteError => new InviteError("short", `the invite is cut short: ${AGAIN}`);
const mangled = (): InviteError =>
  new InviteError("checksum", `the invite was changed on its way here (its checksum does not fit): ${AGAIN}`);

const checksumLine = (text: string): string => `crc32 ${crc32(bytesOf(text)).toString(16).padStart(8, "0")}\n`;

/** The text is ASCII: every field was checked. */
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Undefined unless every byte is printable ASCII or a line feed. */
function textOf(bytes: Uint8Array): string | undefined {
  const characters: string[] = [];
  for (const byte of bytes) {
    if (byte !== 0x0a && (byte < 0x20 || byte > 0x7e)) return undefined;
    characters.push(String.fromCharCode(byte));
  }
  return characters.join("");
}
