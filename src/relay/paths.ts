/** Where the relay keeps what is its own. */

export const RELAY_DIRECTORY = "/etc/binder/relay";
export const RELAY_BOOK = `${RELAY_DIRECTORY}/homes`;
export const RELAY_CONFIG = "/etc/config/binder-relay";

/** All with mode 0600, owned by root. */
export const RELAY_KEYS = {
  authority: `${RELAY_DIRECTORY}/ca.crt`,
  authorityKey: `${RELAY_DIRECTORY}/ca.key`,
  certificate: `${RELAY_DIRECTORY}/server.crt`,
  key: `${RELAY_DIRECTORY}/server.key`,
  tlsCrypt: `${RELAY_DIRECTORY}/tls-crypt-v2.key`,
} as const;

/** OpenVPN's `client-config-dir` of a lane's server, with a file for each home. */
export const clientEntries = (lane: number): string => `${RELAY_DIRECTORY}/ccd/${lane}`;

/** OpenVPN's servers run as this user and group. */
export const VPN_USER = "binder-vpn";
/** The relay's HAProxy runs as this one; the kernel confines it by that. */
export const PROXY_USER = "binder-proxy";
