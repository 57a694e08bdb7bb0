import { directive } from "./text.ts";

export interface ServerOptions {
  /** The lane's tun at the relay, which exists already and is addressed by Binder. */
  readonly device: string;
  /** UDP port of this lane. */
  readonly port: number;
  /** The relay's own address in the lane's block, and the block's netmask. */
  readonly address: string;
  readonly netmask: string;
  /** Bytes. */
  readonly mtu: number;
  /** Sessions at the most. */
  readonly clients: number;
  readonly ciphers: readonly string[];
  /** Folder of ca.crt, server.crt, server.key and tls-crypt-v2.key. */
  readonly keys: string;
  /** Folder with a file for every home's certificate name; others are refused. */
  readonly clientConfigs: string;
  readonly management: string;
  /** User and group to run as. */
  readonly user: string;
}

/** A session without a packet for this long (seconds) is forgotten; homes outlive an outage much shorter than this. */
const FORGET_AFTER = 24 * 3600;

/** The configuration of one lane's OpenVPN server at the relay (openvpn(8)). */
export function serverConfig(options: ServerOptions): string {
  const lines = [
    directive("mode", "server"),
    directive("tls-server"),
    directive("dev", options.device),
    directive("dev-type", "tun"),
    directive("persist-tun"),
    directive("persist-key"),
    directive("topology", "subnet"),
    directive("ifconfig", options.address, options.netmask),
    directive("ifconfig-noexec"),
    directive("push", "topology subnet"),
    directive("route-noexec"),
    directive("disable-dco"),
    directive("proto", "udp4"),
    directive("port", options.port),
    directive("multihome"),
    directive("float"),
    directive("max-clients", options.clients),
    directive("ping-restart", FORGET_AFTER),
    // No IP fragments: some gateways drop them. What is too large is lost, which full-size probes find out.
    directive("mtu-disc", "yes"),
    directive("tun-mtu", options.mtu),
    directive("mssfix", 0),
    directive("data-ciphers", options.ciphers.join(":")),
    directive("dh", "none"),
    directive("remote-cert-tls", "client"),
    directive("client-config-dir", options.clientConfigs),
    directive("ccd-exclusive"),
    directive("ca", `${options.keys}/ca.crt`),
    directive("cert", `${options.keys}/server.crt`),
    directive("key", `${options.keys}/server.key`),
    directive("tls-crypt-v2", `${options.keys}/tls-crypt-v2.key`),
    directive("user", options.user),
    directive("group", options.user),
    directive("management", options.management, "unix"),
    directive("suppress-timestamps"),
    directive("verb", 1),
  ];
  return `${lines.join("\n")}\n`;
}
