import type { Host } from "../host/types.ts";
import { type Purpose, renderOpensslConfig } from "./openssl-config.ts";
import { runTool } from "./tool.ts";
import { inWorkshop } from "./workshop.ts";

/** PEM texts of a certificate and its private key (P-256: quick to sign with on a MIPS router). */
export interface KeyPair {
  readonly certificate: Uint8Array;
  readonly key: Uint8Array;
}

/** Where an authority's certificate and key are. */
export interface AuthorityFiles {
  readonly certificate: string;
  readonly key: string;
}

/** GeneralizedTime. A router without a clock wakes up years ago, or ahead; no date may lock a home out. */
const FIRST_DAY = "20000101000000Z";
/** Has no end (RFC 5280, 4.1.2.5). */
const LAST_DAY = "99991231235959Z";

/** Makes an authority that signs itself. Throws a PkiError. */
export async function makeAuthority(host: Host, commonName: string, signal: AbortSignal): Promise<KeyPair> {
  return await makePair(host, "authority", commonName, undefined, signal);
}

/** Makes a key and has the authority sign a certificate for it. Throws a PkiError. */
export async function makeCertificate(
  host: Host,
  purpose: "server" | "client",
  commonName: string,
  authority: AuthorityFiles,
  signal: AbortSignal,
): Promise<KeyPair> {
  return await makePair(host, purpose, commonName, authority, signal);
}

async function makePair(
  host: Host,
  purpose: Purpose,
  commonName: string,
  authority: AuthorityFiles | undefined,
  signal: AbortSignal,
): Promise<KeyPair> {
  return await inWorkshop(host, async (directory) => {
    const [config, key, request, certificate] = [
      `${directory}/config`,
      `${directory}/key`,
      `${directory}/request`,
      `${directory}/certificate`,
    ];
    await host.files.replace(config, new TextEncoder().encode(renderOpensslConfig(directory, commonName)), 0o600);
    await host.files.replace(`${directory}/index`, new Uint8Array(), 0o600);
    const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-pkeyopt", "ec_param_enc:named_curve"];
    await runTool(
      host,
      "openssl",
      ["req", "-batch", "-new", ...curve, "-nodes", "-keyout", key, "-out", request, "-config", config],
      signal,
    );
    const signer = authority === undefined ? ["-selfsign", "-keyfile", key] : ["-cert", authority.certificate, "-keyfile", authority.key];
    const validity = ["-startdate", FIRST_DAY, "-enddate", LAST_DAY];
    const files = ["-in", request, "-out", certificate, "-notext", "-config", config];
    await runTool(host, "openssl", ["ca", "-batch", ...signer, ...validity, "-extensions", purpose, ...files], signal);
    return { certificate: await host.files.read(certificate), key: await host.files.read(key) };
  });
}
