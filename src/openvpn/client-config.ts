import { directive } from "./text.ts";

export interface ClientOptions {
  /** The lane's tun, which exists already and is addressed by Binder. */
  readonly device: string;
  /** Source of the packets to the relay: the gateway's alias, which the policy rules send through the gateway. */
  readonly alias: string;
  /** The relay's public IPv4 addresses. */
  readonly addresses: readonly string[];
  /** UDP port of this lane's server. */
  readonly port: number;
  /** Of the tun at both ends, bytes. */
  readonly mtu: number;
  readonly ciphers: readonly string[];
  /** Folder of ca.crt, home.crt, home.key and tls-crypt-v2.key. */
  readonly keys: string;
  /** Path of the management socket. */
  readonly management: string;
}

/** Seconds that a server's first answer is waited for; the next address, or the next attempt, follows. */
const CONNECT_TIMEOUT = 4;
/** Seconds after which what the peer did not acknowledge is sent again, then twice as many: a relay that is back is met within two. */
const REPEAT_AFTER = 1;

/**
 * The configuration of one lane's OpenVPN at home (openvpn(8)). It neither makes, addresses nor routes its device, and it never judges
 * the lane: that is Binder's (`ping 0`).
 */
export function clientConfig(options: ClientOptions): string {
  const lines = [
    directive("client"),
    directive("dev", options.device),
    directive("dev-type", "tun"),
    directive("persist-tun"),
    directive("persist-key"),
    directive("ifconfig-noexec"),
    directive("route-noexec"),
    directive("disable-dco"),
    directive("proto", "udp4"),
    directive("local", options.alias),
    directive("lport", 0),
    ...options.addresses.map((address) => directive("remote", address, options.port)),
    directive("connect-retry", 1, 1),
    directive("server-poll-timeout", CONNECT_TIMEOUT),
    directive("tls-timeout", REPEAT_AFTER),
    directive("ping", 0),
    directive("ping-restart", 0),
    directive("pull-filter", "ignore", "ping"),
    // No IP fragments: some gateways drop them. What is too large is lost, which full-size probes find out.
    directive("mtu-disc", "yes"),
    directive("tun-mtu", options.mtu),
    directive("mssfix", 0),
    directive("data-ciphers", options.ciphers.join(":")),
    directive("remote-cert-tls", "server"),
    directive("ca", `${options.keys}/ca.crt`),
    directive("cert", `${options.keys}/home.crt`),
    directive("key", `${options.keys}/home.key`),
    directive("tls-crypt-v2", `${options.keys}/tls-crypt-v2.key`),
    directive("management", options.management, "unix"),
    directive("suppress-timestamps"),
    directive("verb", 1),
  ];
  return `${lines.join("\n")}\n`;
}
