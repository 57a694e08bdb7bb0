import { isRelayName, RELAY_NAME_RULE } from "../invite/names.ts";
import { parseIpv4, parsePrefix, type Prefix } from "../plan/addresses.ts";
import { isUnicast } from "../plan/homes.ts";
import { DEVICE_PREFIX } from "../plan/numbers.ts";

/** What an option's value may be. */
export interface Rule<T> {
  /** Follows the value in an error: `must be …`. */
  readonly must: string;
  /** The value's meaning; undefined if it breaks the rule. */
  readonly parse: (text: string) => T | undefined;
}

const TRUE = ["1", "on", "true", "yes", "enabled"];
const FALSE = ["0", "off", "false", "no", "disabled"];

/** The words of OpenWrt's config_get_bool. */
export const boolean: Rule<boolean> = {
  must: `must be 1 or 0 (or ${[...TRUE.slice(1), ...FALSE.slice(1)].join(", ")})`,
  parse: (text) => (TRUE.includes(text) ? true : FALSE.includes(text) ? false : undefined),
};

export function integer(min: number, max: number): Rule<number> {
  return {
    must: `must be a whole number from ${min} to ${max}`,
    parse: (text) => (/^(0|[1-9][0-9]{0,14})$/.test(text) && Number(text) >= min && Number(text) <= max ? Number(text) : undefined),
  };
}

export function choice<T extends string>(...words: readonly T[]): Rule<T> {
  return { must: `must be one of ${words.join(", ")}`, parse: (text) => words.find((word) => word === text) };
}

function pattern(must: string, expression: RegExp): Rule<string> {
  return { must, parse: (text) => (expression.test(text) ? text : undefined) };
}

export const hostAddress: Rule<string> = {
  must: "must be the IPv4 address of a host, such as 192.168.1.1",
  parse: (text) => {
    const address = parseIpv4(text);
    return address !== undefined && isUnicast(address) ? text : undefined;
  },
};

/** A prefix that the program itself names. Throws if it is none. */
export function knownPrefix(text: string): Prefix {
  const found = parsePrefix(text);
  if (found === undefined) throw new Error(`${text} must be an IPv4 prefix`);
  return found;
}

/** `min` and `max` are lengths: `/min` is the largest prefix allowed. */
export function prefix(min: number, max: number): Rule<Prefix> {
  const lengths = min === 0 && max === 32 ? "" : `, /${min} to /${max}`;
  return {
    must: `must be an IPv4 prefix${lengths}, with no bits set beyond its length, such as 198.18.0.0/${Math.min(16, max)}`,
    parse: (text) => {
      const found = parsePrefix(text);
      return found !== undefined && found.length >= min && found.length <= max ? found : undefined;
    },
  };
}

/** As {@link prefix}, of addresses that hosts can have. */
export function hostPrefix(min: number, max: number): Rule<Prefix> {
  const { must, parse } = prefix(min, max);
  return {
    must: `${must}, of addresses that hosts can have`,
    parse: (text) => {
      const found = parse(text);
      return found !== undefined && isUnicast(found.base) ? found : undefined;
    },
  };
}

/** Names of the kernel's (IFNAMSIZ is 16 with its NUL) that no program takes for an option; not Binder's own. */
export const device: Rule<string> = {
  must: `must be a network device's name, 1 to 15 letters, digits, '.', '_' and '-', not one of Binder's own (${DEVICE_PREFIX}…)`,
  parse: (text) => (/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}$/.test(text) && !text.startsWith(DEVICE_PREFIX) ? text : undefined),
};

export const network = pattern(
  "must be the name of a network in /etc/config/network, 1 to 32 letters, digits and '_'",
  /^[A-Za-z0-9_]{1,32}$/,
);

/** Section names too; UCI allows no other characters in those. They become names of folders and parts of certificates. */
export const name = pattern("must be a name of 1 to 32 letters, digits and '_'", /^[A-Za-z0-9_]{1,32}$/);

export const relayName: Rule<string> = {
  must: `must be a name that ${RELAY_NAME_RULE}`,
  parse: (text) => (isRelayName(text) ? text : undefined),
};

/** TCP_CA_NAME_MAX is 16, with its NUL. */
export const congestion = pattern("must be the name of a TCP congestion control, such as cubic or bbr", /^[a-z][a-z0-9_-]{0,14}$/);

export const mac: Rule<string> = {
  must: "must be a hardware address, such as 00:16:3e:12:34:56",
  parse: (text) => (/^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}$/.test(text) ? text.toLowerCase() : undefined),
};

export interface PortRange {
  readonly first: number;
  readonly last: number;
}

export const portRange: Rule<PortRange> = {
  must: "must be a port from 1 to 65535, or a range such as 5000-5010",
  parse: (text) => {
    const [, from = "", to = from] = /^([1-9][0-9]{0,4})(?:-([1-9][0-9]{0,4}))?$/.exec(text) ?? [];
    const range = { first: Number(from), last: Number(to) };
    return range.first >= 1 && range.first <= range.last && range.last <= 65535 ? range : undefined;
  },
};

const UNITS: Readonly<Record<string, number>> = { "": 1, K: 1e3, M: 1e6, G: 1e9, T: 1e12 };

/** Bytes; decimal units. */
export const byteCount: Rule<number> = {
  must: "must be a number of bytes, such as 50G (K, M, G, T: thousands, up to 9000T)",
  parse: (text) => {
    const [, digits = "", unit = ""] = /^([1-9][0-9]{0,15})([KMGT]?)$/.exec(text) ?? [];
    const bytes = digits === "" ? 0 : Number(digits) * (UNITS[unit] ?? 0);
    return bytes >= 1 && bytes <= 9e15 ? bytes : undefined;
  },
};
