import { formatConfigError, parseRelayConfig } from "../../src/config/index.ts";
import type { RelayConfig } from "../../src/config/relay-types.ts";
import { parsePrefix } from "../../src/plan/addresses.ts";
import { textToBytes } from "../../src/uci-parser/index.ts";
import { test } from "../harness/index.ts";

function relayErrorsOf(text: string): readonly string[] {
  const result = parseRelayConfig("/etc/config/binder-relay", textToBytes(text));
  return result.ok ? [] : result.errors.map((error) => formatConfigError(error).replace("/etc/config/binder-relay:", ""));
}

function relayOf(text: string): RelayConfig {
  const result = parseRelayConfig("/etc/config/binder-relay", textToBytes(text));
  if (!result.ok) throw new Error(result.errors.map(formatConfigError).join("\n"));
  return result.config;
}

test("a relay's own file has defaults, and all of it can be set", (t) => {
  const byDefault = {
    enabled: true,
    name: "relay",
    addresses: [],
    port: 21300,
    prefix: parsePrefix("198.19.0.0/16"),
    lanes: 8,
    congestion: "cubic",
    connections: 4096,
    allowSmtp: false,
  };
  t.strictSame(relayOf(""), byDefault);
  t.strictSame(relayOf("config relay main\n"), byDefault);
  const text = `config relay main
	option enabled 0
	option name north
	list address 45.0.0.1
	list address 45.0.0.2
	option port 30000
	option prefix 172.16.0.0/20
	option resolver 9.9.9.9
	option lanes 15
	option congestion bbr
	option connections 100
	option allow_smtp 1
	option device eth0
`;
  t.strictSame(relayOf(text), {
    enabled: false,
    name: "north",
    addresses: ["45.0.0.1", "45.0.0.2"],
    port: 30000,
    prefix: parsePrefix("172.16.0.0/20"),
    resolver: "9.9.9.9",
    lanes: 15,
    congestion: "bbr",
    connections: 100,
    allowSmtp: true,
    device: "eth0",
  });
});

test("what is wrong in a relay's own file has its sentence", (t) => {
  const main = (option: string): string => `config relay main\n\toption ${option}\n`;
  const cases: readonly (readonly [string, string])[] = [
    ["config gateway a\n", "1: gateway 'a' is no section of this file; those are relay."],
    ["config relay other\n", "1: relay 'other' must have the name 'main': there is one relay section."],
    [main("name a-b"), "2: relay 'main': name 'a-b' must be a name that is 1 to 32 letters, digits or underscores, and not numbers."],
    [main("address 224.0.0.1"), "2: relay 'main': address '224.0.0.1' must be the IPv4 address of a host, such as 192.168.1.1."],
    [
      main("address 198.19.0.1"),
      "2: relay 'main': address '198.19.0.1' must not lie in the lanes' prefix, 198.19.0.0/16: Binder gives out those addresses itself.",
    ],
    [main("lanes 16"), "2: relay 'main': lanes '16' must be a whole number from 1 to 15."],
    [main("connections 0"), "2: relay 'main': connections '0' must be a whole number from 1 to 1000000."],
    [main("prefix 198.18.0.0/16"), "2: relay 'main': prefix '198.18.0.0/16' must not overlap 198.18.213.0/24, the aliases of homes."],
    [
      main("prefix 10.0.0.0/25"),
      "2: relay 'main': prefix '10.0.0.0/25' must be an IPv4 prefix, /8 to /24, with no bits set beyond its length, such as 198.18.0.0/16, of addresses that hosts can have.",
    ],
    [main("resolver localhost"), "2: relay 'main': resolver 'localhost' must be the IPv4 address of a host, such as 192.168.1.1."],
  ];
  for (const [text, sentence] of cases) t.strictSame(relayErrorsOf(text), [sentence], text);
});
