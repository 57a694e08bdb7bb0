import { contains, parseIpv4, parsePrefix } from "../plan/addresses.ts";
import { highestHome, isUnicast } from "../plan/homes.ts";
import { MAX_GATEWAY, MIN_HOME } from "../plan/numbers.ts";
import { HOME_NAME_RULE, isHomeName, isRelayName, RELAY_NAME_RULE } from "./names.ts";
import { parsePem } from "./pem.ts";
import type { Invite } from "./types.ts";

const MAX_ADDRESSES = 8;
/** The highest base port that leaves every lane a port. */
const MAX_BASE_PORT = 65535 - MAX_GATEWAY;

/**
 * What is wrong with an invite's fields, a sentence for each; empty if nothing. Its values go into OpenVPN's, HAProxy's and UCI's
 * texts, so nothing passes here that those can't carry. Values are shown, but never those of keys.
 */
export function checkInvite(invite: Invite): readonly string[] {
  const wrong: string[] = [];
  const require = (holds: boolean, sentence: string): void => {
    if (!holds) wrong.push(sentence);
  };
  require(isRelayName(invite.relay), `relay ${RELAY_NAME_RULE}, not ${shown(invite.relay)}`);
  require(isHomeName(invite.home), `home ${HOME_NAME_RULE}, not ${shown(invite.home)}`);
  require(isWhole(invite.port, 1, MAX_BASE_PORT), `port is 1 to ${MAX_BASE_PORT}, not ${invite.port}`);
  wrong.push(...checkNetwork(invite));
  require(parsePem("CERTIFICATE", invite.authority) !== undefined, "authority is one PEM certificate");
  require(parsePem("CERTIFICATE", invite.certificate) !== undefined, "certificate is one PEM certificate");
  require(parsePem("PRIVATE KEY", invite.key) !== undefined, "key is one PEM private key");
  require(parsePem("OpenVPN tls-crypt-v2 client key", invite.tlsCrypt) !==
    undefined, "tls-crypt-v2 is one tls-crypt-v2 client key of openvpn --genkey");
  return wrong;
}

function checkNetwork(invite: Invite): readonly string[] {
  const prefix = parsePrefix(invite.prefix);
  if (prefix === undefined || prefix.length < 8 || prefix.length > 24 || !isUnicast(prefix.base)) {
    return [`prefix is an IPv4 prefix of length 8 to 24 like 198.19.0.0/16, not ${shown(invite.prefix)}`];
  }
  const wrong: string[] = [];
  const highest = highestHome(prefix);
  if (!isWhole(invite.number, MIN_HOME, highest)) wrong.push(`number is ${MIN_HOME} to ${highest} with this prefix, not ${invite.number}`);
  if (!isHostAddress(invite.resolver)) wrong.push(`resolver is a host's IPv4 address, not ${shown(invite.resolver)}`);
  const { addresses } = invite;
  if (addresses.length < 1 || addresses.length > MAX_ADDRESSES || new Set(addresses).size !== addresses.length) {
    wrong.push(`there are 1 to ${MAX_ADDRESSES} different addresses, not ${addresses.length}`);
  }
  for (const address of addresses) {
    const value = parseIpv4(address);
    if (!isHostAddress(address)) wrong.push(`address is a host's IPv4 address, not ${shown(address)}`);
    else if (value !== undefined && contains(prefix, value))
      wrong.push(`address ${address} lies within prefix ${invite.prefix}: one of them must change`);
  }
  return wrong;
}

function isHostAddress(text: string): boolean {
  const value = parseIpv4(text);
  return value !== undefined && isUnicast(value);
}

const isWhole = (value: number, least: number, most: number): boolean => Number.isInteger(value) && value >= least && value <= most;

/** For a message on a terminal: quoted, cut, control characters escaped. */
const shown = (text: string): string => JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
