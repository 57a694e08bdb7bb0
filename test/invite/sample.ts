import { formatPem } from "../../src/invite/pem.ts";
import type { Invite } from "../../src/invite/types.ts";

/** Bytes that look random and are the same every time. */
export function bytes(count: number, seed: number): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length: count }, () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return state >>> 24;
  });
}

/** A DER SEQUENCE with this many bytes of content. */
export function der(count: number, seed: number): Uint8Array {
  const length = count < 128 ? [count] : count < 256 ? [0x81, count] : [0x82, count >> 8, count & 255];
  return Uint8Array.from([0x30, ...length, ...bytes(count, seed)]);
}

/** 256 bytes of keys, and a wrapped key of `wrapped` bytes that ends with its length. */
export function clientKey(wrapped: number, seed: number): Uint8Array {
  return Uint8Array.from([...bytes(256 + wrapped - 2, seed), wrapped >> 8, wrapped & 255]);
}

export const sample: Invite = {
  relay: "school",
  home: "anna-maria",
  number: 2,
  addresses: ["45.0.0.1", "45.0.0.2"],
  port: 21300,
  prefix: "198.19.0.0/16",
  resolver: "198.19.0.1",
  authority: formatPem("CERTIFICATE", der(100, 1)),
  certificate: formatPem("CERTIFICATE", der(200, 2)),
  key: formatPem("PRIVATE KEY", der(60, 3)),
  tlsCrypt: formatPem("OpenVPN tls-crypt-v2 client key", clientKey(290, 4)),
};
