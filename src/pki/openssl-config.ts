import { PkiError } from "./error.ts";

/** What a certificate is for; the names of sections in openssl's configuration. */
export type Purpose = "authority" | "server" | "client";

/**
 * The configuration of `openssl req` and `openssl ca` for one certificate (config(5ssl), openssl-ca(1ssl)).
 *
 * OpenVPN's `remote-cert-tls` needs keyUsage and extendedKeyUsage. `openssl ca` is used rather than `openssl x509` because in OpenSSL
 * 3.0 it alone can set the first day of validity. Throws a PkiError for a value that the format can't carry.
 */
export function renderOpensslConfig(directory: string, commonName: string): string {
  const place = carried(directory, /^\/[A-Za-z0-9/_.-]+$/);
  const name = carried(commonName, /^[A-Za-z0-9_.-]{1,64}$/);
  return `[ca]
default_ca = book

[book]
database = ${place}/index
new_certs_dir = ${place}
rand_serial = yes
default_md = sha256
policy = policy
unique_subject = no

[policy]
commonName = supplied

[req]
distinguished_name = subject
prompt = no
string_mask = utf8only

[subject]
commonName = ${name}

[authority]
basicConstraints = critical,CA:TRUE,pathlen:0
keyUsage = critical,digitalSignature,keyCertSign
subjectKeyIdentifier = hash

[server]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid

[client]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
`;
}

/** `$`, quotes, backslashes and white space have a meaning there; none of them is needed. */
function carried(value: string, pattern: RegExp): string {
  if (!pattern.test(value)) throw new PkiError(`openssl's configuration can't carry ${JSON.stringify(value)}`);
  return value;
}
