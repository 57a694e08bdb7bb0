import { isRelayName } from "../invite/names.ts";
import { quote } from "../uci-parser/print.ts";

/** What `binder relay init` asks or finds out; all else has its default. */
export interface FirstSettings {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly port: number;
}

/** The text of a new /etc/config/binder-relay. The values were checked. */
export function firstConfig({ name, addresses, port }: FirstSettings): string {
  const lines = [
    "config relay 'main'",
    "\toption enabled '1'",
    `\toption name ${quote(name)}`,
    ...addresses.map((address) => `\tlist address ${quote(address)}`),
    `\toption port ${quote(String(port))}`,
  ];
  return `${lines.join("\n")}\n`;
}

/** A relay's name from this machine's, so that two communities' relays seldom have the same. */
export function nameFromHost(hostname: string): string {
  const [label = ""] = hostname.trim().split(".");
  const name = label.replace(/[^A-Za-z0-9_]/g, "_").slice(0, 32);
  return isRelayName(name) ? name : "relay";
}
