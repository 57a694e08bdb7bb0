import { RELAY_HOST } from "./numbers.ts";

/** An IPv4 address as an unsigned 32-bit number; undefined if the text is none. Leading zeros are refused: some read them as octal. */
export function parseIpv4(text: string): number | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  let value = 0;
  for (const part of parts) {
    if (!/^(0|[1-9][0-9]{0,2})$/.test(part)) return undefined;
    const octet = Number(part);
    if (octet > 255) return undefined;
    value = value * 256 + octet;
  }
  return value;
}

export function formatIpv4(value: number): string {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255].join(".");
}

export interface Prefix {
  /** First address, as a number. */
  readonly base: number;
  /** 0 to 32. */
  readonly length: number;
}

/** `198.19.0.0/16`, or a host's address alone; undefined if it is none, or if bits are set beyond its length. */
export function parsePrefix(text: string): Prefix | undefined {
  const [address = "", length = "32", ...rest] = text.split("/");
  const base = parseIpv4(address);
  if (base === undefined || rest.length > 0 || !/^(0|[1-9][0-9]?)$/.test(length) || Number(length) > 32) return undefined;
  const prefix = { base, length: Number(length) };
  return firstOf(prefix) === base ? prefix : undefined;
}

export function formatPrefix(prefix: Prefix): string {
  return `${formatIpv4(prefix.base)}/${prefix.length}`;
}

const sizeOf = (length: number): number => 2 ** (32 - length);
const firstOf = (prefix: Prefix): number => prefix.base - (prefix.base % sizeOf(prefix.length));

export function contains(prefix: Prefix, address: number): boolean {
  return address >= prefix.base && address < prefix.base + sizeOf(prefix.length);
}

export function overlap(a: Prefix, b: Prefix): boolean {
  return contains(a, b.base) || contains(b, a.base);
}

/** The alias of gateway i on `lo`. */
export function aliasOf(aliasPrefix: Prefix, gateway: number): string {
  return formatIpv4(aliasPrefix.base + gateway);
}

/** Length of a block: sixteen of them make the lane prefix. */
export const blockLength = (lanePrefix: Prefix): number => lanePrefix.length + 4;

/** Block 0 has the stable addresses, block i those of lane i. */
export function blockOf(lanePrefix: Prefix, block: number): Prefix {
  const length = blockLength(lanePrefix);
  return { base: lanePrefix.base + block * sizeOf(length), length };
}

/** A home's address on lane i (1 to 15), or its stable address (block 0). */
export function homeAddress(lanePrefix: Prefix, block: number, home: number): string {
  return formatIpv4(blockOf(lanePrefix, block).base + home);
}

/** The relay's address on lane i, or its service address (block 0). */
export function relayAddress(lanePrefix: Prefix, block: number): string {
  return formatIpv4(blockOf(lanePrefix, block).base + RELAY_HOST);
}
