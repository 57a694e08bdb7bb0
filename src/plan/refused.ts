/**
 * Destinations that no home may reach through a relay: everything not unicast, what is local or private, and what clouds answer their
 * machines alone (169.254.169.254 lies in 169.254/16). The relay's own addresses and prefixes come on top.
 */
export const REFUSED_PREFIXES: readonly string[] = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "224.0.0.0/3",
  "168.63.129.16/32",
];

/** Ports refused by default: mail is not sent by households, only by what infected them. */
export const REFUSED_PORTS: readonly number[] = [25];
