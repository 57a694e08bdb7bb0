import { decodeBase64, encodeBase64 } from "./base64.ts";

/** What stands between BEGIN and the dashes (RFC 7468, and OpenVPN's own for tls-crypt-v2). */
export type PemLabel = "CERTIFICATE" | "PRIVATE KEY" | "OpenVPN tls-crypt-v2 client key";

const LINE = 64;

/** The bytes as a PEM text, in lines of 64 characters as openssl and openvpn write them. */
export function formatPem(label: PemLabel, bytes: Uint8Array): string {
  const lines = encodeBase64(bytes).match(new RegExp(`.{1,${LINE}}`, "g")) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

/** The bytes of a text that is one PEM block with this label and nothing else; undefined if it is not, or not well formed inside. */
export function parsePem(label: PemLabel, text: string): Uint8Array | undefined {
  const begin = `-----BEGIN ${label}-----`;
  const end = `-----END ${label}-----`;
  const trimmed = text.trim();
  if (!trimmed.startsWith(begin) || !trimmed.endsWith(end) || trimmed.length < begin.length + end.length) return undefined;
  const bytes = decodeBase64(trimmed.slice(begin.length, -end.length).replace(/[\r\n]/g, ""));
  return bytes !== undefined && isWellFormed(label, bytes) ? bytes : undefined;
}

/** Whether the bytes have the outer shape of what the label says. What is inside is for openssl and openvpn to judge. */
export function isWellFormed(label: PemLabel, bytes: Uint8Array): boolean {
  switch (label) {
    case "CERTIFICATE":
    case "PRIVATE KEY":
      return isDerSequence(bytes);
    case "OpenVPN tls-crypt-v2 client key":
      return isTlsCryptClientKey(bytes);
  }
}

/** One DER SEQUENCE that ends where the bytes end (X.690, 8.1.3). */
function isDerSequence(bytes: Uint8Array): boolean {
  const [tag, first] = bytes;
  if (tag !== 0x30 || first === undefined) return false;
  if (first < 0x80) return bytes.length === 2 + first;
  const octets = first & 0x7f;
  if (octets < 1 || octets > 3 || bytes.length < 2 + octets) return false;
  const length = bytes.slice(2, 2 + octets).reduce((sum, octet) => sum * 256 + octet, 0);
  return bytes.length === 2 + octets + length;
}

/** 2048 bits of keys, then the wrapped key whose own length is in its last two bytes (OpenVPN, doc/tls-crypt-v2.txt). */
function isTlsCryptClientKey(bytes: Uint8Array): boolean {
  const keys = 256;
  const longestWrapped = 1024;
  const wrapped = bytes.length - keys;
  const stated = (bytes[bytes.length - 2] ?? 0) * 256 + (bytes[bytes.length - 1] ?? 0);
  return wrapped > keys && wrapped <= longestWrapped && stated === wrapped;
}
