/** What a volunteer can do about an error of OpenVPN's, by the words it uses; empty if nothing is known of it. */
export function adviceOn(error: string): string {
  for (const [pattern, advice] of known) if (pattern.test(error)) return advice;
  return "";
}

/** Whether an error says what is wrong, not only that nothing came of it. */
export function isSpecific(error: string): boolean {
  return known.findIndex(([pattern]) => pattern.test(error)) > 0;
}

/** What a state's detail of OpenVPN's (management-notes.txt) means to a person; empty for what is no error. */
export function explainDetail(detail: string): string {
  // Signals that Binder sent, and restarts that say nothing.
  if (/^(|SIG[A-Z0-9]+|init_instance)$/.test(detail)) return "";
  return details[detail] ?? detail;
}

const details: Readonly<Record<string, string>> = {
  "auth-failure": "the relay refuses this home (AUTH_FAILED)",
  server_poll: "the relay does not answer through this gateway",
  "tls-error": "no key could be agreed on with the relay (TLS handshake failed)",
};

/** The first is the one that fits many causes. */
const known: readonly (readonly [RegExp, string])[] = [
  [
    /TLS key negotiation failed|TLS handshake failed|server_poll|Server poll timeout|relay does not answer/i,
    "is this gateway online, and does it let UDP out? If it is the same with all gateways, ask the relay's operator",
  ],
  [/AUTH_FAILED|ccd-exclusive|client-config-dir/i, "the relay refuses this home: ask its operator for a new invite"],
  [/certificate (is not yet valid|has expired)/i, "this machine's clock is wrong: set it (date), or have it ask a time server (NTP)"],
  [/certificate verify failed|VERIFY ERROR/i, "the relay's certificate is not the invite's: ask the operator for a new invite"],
  [
    /private key|home\.(key|crt)|Cannot load|ca\.crt|inline.*file/i,
    "the keys in /etc/binder are damaged: run binder join again with the relay's invite, or ask its operator for a new one",
  ],
  [/tls-crypt/i, "the keys do not fit this relay: join again with a fresh invite"],
  [/Cannot open TUN|ioctl.*TUN|\/dev\/net\/tun/i, "the kernel has no TUN: install kmod-tun (OpenWrt) or load the module tun"],
  [/Cannot assign requested address|bind failed/i, "the alias of this gateway is missing: Binder puts it back by itself"],
  // What a firewall's "reject" answers is one of these two.
  [
    /Connection refused/i,
    "UDP is refused on its way: does this gateway's firewall let it out? If it is the same with all gateways, ask the relay's operator",
  ],
  [
    /Network (is )?unreachable|No route to host/i,
    "there is no way through this gateway: check its cable, device and via, and whether it lets UDP out",
  ],
];
