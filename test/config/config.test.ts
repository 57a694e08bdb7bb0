import { formatConfigError, parseConfig } from "../../src/config/index.ts";
import type { Config } from "../../src/config/types.ts";
import { formatPrefix, parsePrefix } from "../../src/plan/addresses.ts";
import { textToBytes } from "../../src/uci-parser/index.ts";
import { test } from "../harness/index.ts";

const FILE = "/etc/config/binder";

/** The sentences of all errors, without the file. */
function errorsOf(text: string): readonly string[] {
  const result = parseConfig(FILE, textToBytes(text));
  return result.ok ? [] : result.errors.map((error) => formatConfigError(error).replace(`${FILE}:`, ""));
}

function configOf(text: string): Config {
  const result = parseConfig(FILE, textToBytes(text));
  if (!result.ok) throw new Error(result.errors.map(formatConfigError).join("\n"));
  return result.config;
}

const gateway = (name: string, ...options: readonly string[]): string =>
  `config gateway '${name}'\n${options.map((option) => `\toption ${option}\n`).join("")}`;
const well = gateway("a", "device eth1", "via 10.0.0.1");

test("an empty file has all defaults", (t) => {
  t.strictSame(configOf(""), {
    main: {
      enabled: true,
      transport: "auto",
      ipv6: "leave",
      congestion: "cubic",
      aliasPrefix: { base: 0xc612d500, length: 24 },
      logLevel: "info",
    },
    lans: [],
    relays: [],
    gateways: [],
    bypasses: [],
  });
  t.strictSame(configOf("config binder 'main'\n"), configOf(""));
});

test("everything can be set", (t) => {
  const config = configOf(`
config binder main
	option enabled no
	option transport tunnel
	option ipv6 off
	option congestion bbr
	option alias_prefix 172.30.0.0/28
	option log_level debug
config lan home
	option network lan
config lan guests
	option device br-guest
config relay second
	list address 45.0.0.9
	option priority 2
config relay first
	option enabled off
	option address '45.0.0.1 45.0.0.2'
	option port 30000
config gateway school
	option device br-mesh
	option via 10.0.0.1
	option priority 2
	option weight 256
	option quota 50G
	option mtu 1280
config gateway fibre
	option enabled false
	option network wan_6
config gateway library
	option remote 10.45.0.7
	option encap gre
config gateway shop
	option remote 10.45.0.8
config bypass bank
	option dest 198.51.100.0/24
	list port 443
	list port '8000-8100 9000'
	option proto tcp
	option src 192.168.1.20
	option mac 00:16:3E:12:34:56
	option gateway school
config bypass voice
	option proto udp
`);
  t.strictSame(
    { ...config.main, aliasPrefix: formatPrefix(config.main.aliasPrefix) },
    {
      enabled: false,
      transport: "tunnel",
      ipv6: "off",
      congestion: "bbr",
      aliasPrefix: "172.30.0.0/28",
      logLevel: "debug",
    },
  );
  t.strictSame(config.lans, [
    { name: "home", network: "lan" },
    { name: "guests", device: "br-guest" },
  ]);
  t.strictSame(config.relays, [
    { name: "first", enabled: false, addresses: ["45.0.0.1", "45.0.0.2"], port: 30000, priority: 1 },
    { name: "second", enabled: true, addresses: ["45.0.0.9"], port: 21300, priority: 2 },
  ]);
  const plain = { enabled: true, priority: 1, weight: 1 };
  t.strictSame(config.gateways, [
    {
      ...plain,
      name: "school",
      priority: 2,
      weight: 256,
      quota: 5e10,
      mtu: 1280,
      reach: { kind: "via", device: "br-mesh", via: "10.0.0.1" },
    },
    { ...plain, name: "fibre", enabled: false, reach: { kind: "network", network: "wan_6" } },
    { ...plain, name: "library", reach: { kind: "remote", remote: "10.45.0.7", encap: "gre" } },
    { ...plain, name: "shop", reach: { kind: "remote", remote: "10.45.0.8", encap: "vxlan" } },
  ]);
  t.strictSame(config.bypasses, [
    {
      name: "bank",
      dest: parsePrefix("198.51.100.0/24"),
      ports: [
        { first: 443, last: 443 },
        { first: 8000, last: 8100 },
        { first: 9000, last: 9000 },
      ],
      proto: "tcp",
      src: parsePrefix("192.168.1.20"),
      mac: "00:16:3e:12:34:56",
      gateway: "school",
    },
    { name: "voice", proto: "udp" },
  ]);
});

test("booleans have the forms of UCI", (t) => {
  for (const word of ["1", "on", "true", "yes", "enabled"])
    t.equal(configOf(`config binder main\noption enabled ${word}\n`).main.enabled, true, word);
  for (const word of ["0", "off", "false", "no", "disabled"])
    t.equal(configOf(`config binder main\noption enabled ${word}\n`).main.enabled, false, word);
});

test("fifteen gateways are well", (t) => {
  const text = Array.from({ length: 15 }, (_, i) => gateway(`g${i}`, "device eth1", `via 10.0.0.${i + 1}`)).join("");
  t.equal(configOf(text).gateways.length, 15);
});

test("each wrong thing has its sentence", (t) => {
  const DEVICE = "must be a network device's name, 1 to 15 letters, digits, '.', '_' and '-', not one of Binder's own (binder-…)";
  const HOST = "must be the IPv4 address of a host, such as 192.168.1.1";
  const PREFIX = "must be an IPv4 prefix, with no bits set beyond its length, such as 198.18.0.0/16";
  const ALIASES =
    "must be an IPv4 prefix, /8 to /28, with no bits set beyond its length, such as 198.18.0.0/16, of addresses that hosts can have";
  const PORT = "must be a port from 1 to 65535, or a range such as 5000-5010";
  const WAYS = "device and via, or network, or remote";
  const NETWORK = "must be the name of a network in /etc/config/network, 1 to 32 letters, digits and '_'";
  const relay = (option: string): string => `config relay r\n\tlist address 45.0.0.1\n\t${option}\n`;
  const main = (option: string): string => `config binder main\n\t${option}\n`;
  const lan = (option: string): string => `config lan l\n\t${option}\n`;
  const bypass = (option: string): string => `${well}config bypass b\n\t${option}\n`;

  const cases: readonly (readonly [string, ...string[]])[] = [
    // The file and its sections.
    ["config s 'a'\n\toption x 'abc\n\toption y 1\n", "2: is no UCI text from this line on: EOF with unterminated '."],
    [
      "config gateway x\nconfig lan x\n",
      "2: is no UCI text from this line on: section of different type overwrites prior section with same name.",
    ],
    ["config gatway x\n", "1: gatway 'x' is no section of this file; those are binder, lan, relay, gateway, bypass."],
    ["config gatway\n", "1: gatway is no section of this file; those are binder, lan, relay, gateway, bypass."],
    [
      `${well}${well}`,
      "4: gateway 'a' must have a name of its own: the section on line 1 has it.",
      "5: gateway 'a': device 'eth1' must be there once: line 2 has it too.",
      "6: gateway 'a': via '10.0.0.1' must be there once: line 3 has it too.",
    ],
    ["config binder\n", "1: binder must have a name: config binder 'NAME'."],
    ["config lan\n\toption network lan\n", "1: lan must have a name: config lan 'NAME'."],
    ["config binder other\n", "1: binder 'other' must have the name 'main': there is one binder section."],
    [`config lan ${"l".repeat(33)}\n\toption network lan\n`, `1: lan '${"l".repeat(33)}' must have a name of at most 32 letters.`],
    // Options as such.
    [
      main("option enbled 1"),
      "2: binder 'main': enbled '1' is no option of a binder section; those are ipv6, enabled, transport, congestion, alias_prefix, log_level.",
    ],
    [main("list enabled 1"), "2: binder 'main': enabled '1' is one value: write option enabled, not list enabled."],
    [main("option transport auto\n\toption transport proxy"), "3: binder 'main': transport 'proxy' must be there once: line 2 has it too."],
    [main("option transport 'pro\nxy'"), "2: binder 'main': transport 'pro\\x0axy' must not have control characters in it."],
    [main("option transport 'caf\xe9'"), "2: binder 'main': transport 'caf\\xe9' must be one of auto, proxy, tunnel."],
    [main("option transport 'caf\xc3\xa9'"), "2: binder 'main': transport 'café' must be one of auto, proxy, tunnel."],
    [main(`option transport ${"x".repeat(100)}`), `2: binder 'main': transport '${"x".repeat(80)}…' must be one of auto, proxy, tunnel.`],
    // main
    [main("option enabled 2"), "2: binder 'main': enabled '2' must be 1 or 0 (or on, true, yes, enabled, off, false, no, disabled)."],
    [main("option transport quic"), "2: binder 'main': transport 'quic' must be one of auto, proxy, tunnel."],
    [main("option ipv6 carry"), "2: binder 'main': ipv6 'carry' is not built yet: use leave or off."],
    [main("option ipv6 on"), "2: binder 'main': ipv6 'on' must be leave or off."],
    [
      main("option congestion 'bbr; reboot'"),
      "2: binder 'main': congestion 'bbr; reboot' must be the name of a TCP congestion control, such as cubic or bbr.",
    ],
    [main("option log_level loud"), "2: binder 'main': log_level 'loud' must be one of error, warning, info, debug."],
    [main("option alias_prefix 198.18.213.0/29"), `2: binder 'main': alias_prefix '198.18.213.0/29' ${ALIASES}.`],
    [main("option alias_prefix 198.18.213.1/24"), `2: binder 'main': alias_prefix '198.18.213.1/24' ${ALIASES}.`],
    [main("option alias_prefix 240.0.0.0/24"), `2: binder 'main': alias_prefix '240.0.0.0/24' ${ALIASES}.`],
    [
      main("option alias_prefix 198.19.3.0/24"),
      "2: binder 'main': alias_prefix '198.19.3.0/24' must not overlap the lanes' prefix, 198.19.0.0/16.",
    ],
    [
      main("option alias_prefix 198.18.0.0/15"),
      "2: binder 'main': alias_prefix '198.18.0.0/15' must not overlap the lanes' prefix, 198.19.0.0/16.",
    ],
    // lan
    ["config lan l\n", "1: lan 'l' must have device or network."],
    [lan("option device br-lan\n\toption network lan"), "1: lan 'l' must have device or network, not both."],
    [lan("option device -x"), `2: lan 'l': device '-x' ${DEVICE}.`],
    [lan("option device 'a b'"), `2: lan 'l': device 'a b' ${DEVICE}.`],
    [lan("option device ../x"), `2: lan 'l': device '../x' ${DEVICE}.`],
    [lan("option device binder-1"), `2: lan 'l': device 'binder-1' ${DEVICE}.`],
    [lan("option network wan-6"), `2: lan 'l': network 'wan-6' ${NETWORK}.`],
    [
      `${lan("option device br-lan")}config lan m\n\toption device br-lan\n`,
      "4: lan 'm': device 'br-lan' must be of one lan alone: lan 'l' on line 1 has it.",
    ],
    // relay
    ["config relay r\n", "1: relay 'r' must have an address: list address 'IPV4'."],
    [
      "config relay numbers\n\tlist address 45.0.0.1\n",
      "1: relay 'numbers' must have a name that is 1 to 32 letters, digits or underscores, and not numbers.",
    ],
    ["config relay r\n\tlist address ''\n", `2: relay 'r': address ${HOST}.`],
    [relay("list address relay.example"), `3: relay 'r': address 'relay.example' ${HOST}.`],
    [relay("list address 127.0.0.1"), `3: relay 'r': address '127.0.0.1' ${HOST}.`],
    [relay("list address 045.0.0.2"), `3: relay 'r': address '045.0.0.2' ${HOST}.`],
    [relay("list address 45.0.0.1"), "3: relay 'r': address '45.0.0.1' must be there once."],
    [
      relay("list address 198.19.0.1"),
      "3: relay 'r': address '198.19.0.1' must not lie in the lanes' prefix, 198.19.0.0/16: Binder gives out those addresses itself.",
    ],
    [relay("option port 65521"), "3: relay 'r': port '65521' must be a whole number from 1 to 65520."],
    [relay("option port 0x50"), "3: relay 'r': port '0x50' must be a whole number from 1 to 65520."],
    [relay("option priority 0"), "3: relay 'r': priority '0' must be a whole number from 1 to 255."],
    [
      `${relay("option port 30000")}config relay s\n\tlist address 45.0.0.2\n\tlist address 45.0.0.1\n\toption port 30015\n`,
      "6: relay 's': address '45.0.0.1' must be of one relay alone: relay 'r' on line 1 has it, with ports that overlap.",
    ],
    // gateway
    [gateway("g"), `1: gateway 'g' must have a way to it: ${WAYS}.`],
    [gateway("g", "network wan", "remote 10.0.0.1"), `1: gateway 'g' must have one way to it alone: ${WAYS}.`],
    [gateway("g", "device eth1", "network wan"), `1: gateway 'g' must have one way to it alone: ${WAYS}.`],
    [gateway("g", "via 10.0.0.1"), "1: gateway 'g': device must be there beside via."],
    [gateway("g", "device eth1"), "1: gateway 'g': via must be there beside device."],
    [gateway("g", "device eth1", "via 10.0.0.256"), `3: gateway 'g': via '10.0.0.256' ${HOST}.`],
    [gateway("g", "device eth1", "via fe80::1"), `3: gateway 'g': via 'fe80::1' ${HOST}.`],
    [
      gateway("g", "device eth1", "via 198.18.213.9"),
      "3: gateway 'g': via '198.18.213.9' must not lie in alias_prefix, 198.18.213.0/24: Binder gives out those addresses itself.",
    ],
    [
      gateway("g", "remote 198.19.16.1"),
      "2: gateway 'g': remote '198.19.16.1' must not lie in the lanes' prefix, 198.19.0.0/16: Binder gives out those addresses itself.",
    ],
    [gateway("g", "network wan", "encap gre"), "3: gateway 'g': encap 'gre' must be there only beside remote."],
    [gateway("g", "remote 10.0.0.1", "encap geneve"), "3: gateway 'g': encap 'geneve' must be one of vxlan, ipip, gre."],
    [gateway("g", "network wan", "weight 257"), "3: gateway 'g': weight '257' must be a whole number from 1 to 256."],
    [gateway("g", "network wan", "weight 01"), "3: gateway 'g': weight '01' must be a whole number from 1 to 256."],
    [gateway("g", "network wan", "mtu 575"), "3: gateway 'g': mtu '575' must be a whole number from 576 to 1500."],
    [
      gateway("g", "network wan", "quota 50GB"),
      "3: gateway 'g': quota '50GB' must be a number of bytes, such as 50G (K, M, G, T: thousands, up to 9000T).",
    ],
    [
      gateway("g", "network wan", "quota 9001T"),
      "3: gateway 'g': quota '9001T' must be a number of bytes, such as 50G (K, M, G, T: thousands, up to 9000T).",
    ],
    [
      well + gateway("b", "device eth1", "via 10.0.0.1"),
      "6: gateway 'b': via '10.0.0.1' must be of one gateway alone: gateway 'a' on line 1 has it on the same device.",
    ],
    [
      gateway("a", "network wan") + gateway("b", "network wan"),
      "4: gateway 'b': network 'wan' must be of one gateway alone: gateway 'a' on line 1 has it.",
    ],
    [
      gateway("a", "remote 10.0.0.1") + gateway("b", "remote 10.0.0.1", "encap gre"),
      "4: gateway 'b': remote '10.0.0.1' must be of one gateway alone: gateway 'a' on line 1 has it.",
    ],
    [
      Array.from({ length: 16 }, (_, i) => gateway(`g${i}`, `network n${i}`)).join(""),
      "31: gateway 'g15' is gateway 16 of this file: there can be 15.",
    ],
    // bypass
    [bypass("option gateway a"), "4: bypass 'b' must have one of dest, port, proto, src, mac: without any it would match everything."],
    [bypass("option dest 1.2.3.4\n\toption gateway c"), "6: bypass 'b': gateway 'c' must be the name of a gateway of this file."],
    [bypass("option dest 1.2.3.4/24"), `5: bypass 'b': dest '1.2.3.4/24' ${PREFIX}.`],
    [
      bypass("option dest 198.19.0.0/20"),
      "5: bypass 'b': dest '198.19.0.0/20' must not lie in the lanes' prefix, 198.19.0.0/16: Binder gives out those addresses itself.",
    ],
    [bypass("option src 192.168.1"), `5: bypass 'b': src '192.168.1' ${PREFIX}.`],
    [bypass("option port 0"), `5: bypass 'b': port '0' ${PORT}.`],
    [bypass("option port 65536"), `5: bypass 'b': port '65536' ${PORT}.`],
    [bypass("list port 80\n\tlist port 90-80"), `6: bypass 'b': port '90-80' ${PORT}.`],
    [bypass("option proto sctp"), "5: bypass 'b': proto 'sctp' must be one of tcp, udp, icmp."],
    [bypass("option proto icmp\n\toption port 80"), "6: bypass 'b': port '80' must not be there beside proto icmp, which has no ports."],
    [bypass("option mac 00:16:3e:12:34"), "5: bypass 'b': mac '00:16:3e:12:34' must be a hardware address, such as 00:16:3e:12:34:56."],
    [
      `${bypass("option dest 1.2.3.4")}config bypass c\n\toption dest 1.2.3.4/32\n\toption gateway a\n`,
      "6: bypass 'c' must match something of its own: bypass 'b' on line 4 matches the same.",
    ],
  ];
  for (const [text, ...sentences] of cases) t.strictSame(errorsOf(text), sentences, JSON.stringify(text).slice(0, 80));
});

test("all errors are reported at once, by line", (t) => {
  const text = `${gateway("a", "via 1.2.3", "colour red")}config lan l\nconfig binder main\n\toption ipv6 carry\n\toption enabled maybe\n`;
  const result = parseConfig("dir/file", textToBytes(text));
  t.strictSame(result.ok ? [] : result.errors.map(({ file, line, section, option, value }) => [file, line, section, option, value]), [
    ["dir/file", 1, "gateway 'a'", "device", ""],
    ["dir/file", 2, "gateway 'a'", "via", "1.2.3"],
    ["dir/file", 3, "gateway 'a'", "colour", "red"],
    ["dir/file", 4, "lan 'l'", "", ""],
    ["dir/file", 6, "binder 'main'", "ipv6", "carry"],
    ["dir/file", 7, "binder 'main'", "enabled", "maybe"],
  ]);
});

test("no value with a control character gets through, in any option", (t) => {
  const everything: readonly (readonly [string, string])[] = [
    ["binder", "enabled transport ipv6 congestion alias_prefix log_level"],
    ["lan", "device network"],
    ["relay", "enabled address port priority"],
    ["gateway", "enabled device via network remote priority weight quota mtu encap"],
    ["bypass", "dest port proto src mac gateway"],
  ];
  for (const [type, options] of everything) {
    for (const option of options.split(" ")) {
      for (const character of ["\n", "\r", "\t", "\x01", "\x1b", "\x7f"]) {
        for (const keyword of ["option", "list"]) {
          const errors = errorsOf(`config ${type} main\n\t${keyword} ${option} '1${character}2'\n`);
          t.ok(
            errors.some((error) => error.includes(`: ${option} `) && error.includes("must not have control characters in it")),
            `${type} ${option}`,
          );
        }
      }
    }
  }
});

test("lane prefixes of other relays count", (t) => {
  const lanePrefixes = [{ base: 0xac1e0000, length: 16 }];
  const parse = (prefix: string): readonly string[] => {
    const result = parseConfig(FILE, textToBytes(`config binder main\n\toption alias_prefix ${prefix}\n`), { lanePrefixes });
    return result.ok ? [] : result.errors.map((error) => error.rule);
  };
  t.strictSame(parse("172.30.4.0/24"), ["must not overlap the lanes' prefix, 172.30.0.0/16"]);
  t.strictSame(parse("198.19.4.0/24"), []);
});
