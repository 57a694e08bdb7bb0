import fc from "fast-check";
import { EndpointIds } from "../../src/kernel/endpoint-ids.ts";
import { parseBatchErrors, parseReading } from "../../src/kernel/ip.ts";
import { digest, stableListing } from "../../src/kernel/nft-digest.ts";
import { refusal } from "../../src/kernel/nft-table.ts";
import type { IpOperation } from "../../src/kernel/operations.ts";
import { RenderError, renderIp, word } from "../../src/kernel/render-ip.ts";
import type { KernelState, Ownership, Route } from "../../src/kernel/state.ts";
import { stateText } from "../../src/kernel/text.ts";
import { Relevance } from "../../src/kernel/watch.ts";
import { test } from "../harness/index.ts";
import { iproute61, iproute615 } from "./recorded.ts";

const ownership: Ownership = {
  devicePrefix: "binder-",
  prefixes: ["198.18.213.0/24", "198.19.0.0/16"],
  protocol: 213,
  nftTable: "binder",
  savedDirectory: "/run/binder/saved",
};

test("reading what ip prints, of either version", async (t) => {
  for (const [name, text] of [
    ["6.1", iproute61],
    ["6.15", iproute615],
  ] as const) {
    await t.test(`iproute2 ${name}`, (t) => {
      const found = parseReading(text.split("\n"), ownership);
      const { oddRules, oddRoutes, endpointIds, hasMptcp, devices, endpoints, ...rest } = found;
      const state: KernelState = { ...rest, devices, endpoints, sysctls: [], nft: undefined };
      t.equal(
        stateText(state),
        `tun binder-1 mtu 1400 txqueuelen 500
tun binder-2 mtu 1400 txqueuelen 500
tun binder-3 mtu 1500 txqueuelen 500
tun binder-4 mtu 1500 txqueuelen 32
address 198.18.213.1/32 dev lo
address 198.19.16.2/20 dev binder-1
address 198.19.32.2/20 dev binder-2
rule 701: from 198.18.213.1 lookup 21301
rule 716: fwmark 0x3f000000/0x3f000000 lookup 254 suppress_prefixlength 0
rule 717: from 198.19.0.0/16 to 10.2.0.0/16 fwmark 0x7/0xffffffff iif lan unreachable
rule 718: oif lan lookup 21301
route unicast 198.19.0.1 table 254 metric 5 src 198.18.213.1 congctl bbr nexthop dev binder-1 weight 2 nexthop dev binder-2 weight 1
route unicast 198.19.0.7 table 21300 metric 0 src 198.18.213.1 congctl bbr dev binder-1
route unicast 198.19.0.8 table 254 metric 0 nexthop dev binder-2 weight 1 nexthop via 10.0.0.2 dev lan weight 3 onlink
route unicast 9.9.9.0/24 table 21309 metric 0 mtu 1300 dev lan
route unicast default table 21301 metric 0 via 10.0.0.2 dev lan onlink
route unreachable default table 21301 metric 4294967295
endpoint 198.19.0.1 subflow
endpoint 198.19.16.2 dev binder-1 subflow
endpoint 198.19.32.2 dev binder-2 subflow backup
mptcp subflows 8
`,
      );
      t.strictSame(
        devices.map(({ name, up, persistentTun }) => [name, up, persistentTun]),
        [
          ["binder-1", true, true],
          ["binder-2", true, true],
          ["binder-3", false, true],
          ["binder-4", false, false],
        ],
      );
      t.strictSame(
        endpoints.map(({ id, odd, implicit }) => [id, odd, implicit]),
        [
          [3, false, false],
          [4, false, false],
          [5, true, false],
        ],
      );
      t.strictSame([endpointIds, hasMptcp], [[3, 4, 5, 9], true]);
      t.strictSame(oddRules, [{ preference: 719 }, { preference: 720 }, { preference: 721 }]);
      t.strictSame(oddRoutes, [
        { table: 21309, destination: "default", type: "1" },
        { table: 21309, destination: "9.9.8.0/24", type: "6" },
      ]);
    });
  }
  await t.test("a kernel without MPTCP, and a version that prints limits as JSON", (t) => {
    const [links = "", rules = "", routes = ""] = iproute61.split("\n");
    t.strictSame([parseReading([links, rules, routes, "", ""], ownership).hasMptcp], [false]);
    const json = parseReading([links, rules, routes, "[]", '[{"add_addr_accepted":0,"subflows":3}]'], ownership);
    t.strictSame([json.hasMptcp, json.subflowLimit, json.endpoints], [true, 3, []]);
  });
  await t.test("text that is no JSON is an error, not an empty kernel", (t) => {
    t.throws(() => parseReading(["[{", "[]", "[]", "[]", ""], ownership), { name: "KernelReadError" });
  });
});

const lines = (operation: IpOperation): string[] => renderIp(operation, 213, () => 17);

test("lines for ip", async (t) => {
  await t.test("name every value by its keyword", (t) => {
    const route: Route = {
      table: 21300,
      destination: "198.19.0.1",
      kind: "unicast",
      nextHops: [{ device: "dev", via: "10.0.0.2", onlink: true, weight: 2 }, { device: "via" }],
      metric: 5,
      source: "198.18.213.1",
      congestion: "bbr",
      mtu: 1280,
      initialWindow: 64,
    };
    t.strictSame(lines({ kind: "add-device", device: { name: "binder-1", mtu: 1400, txQueueLength: 500 } }), [
      "tuntap add dev binder-1 mode tun",
      "link set dev binder-1 mtu 1400 txqueuelen 500 up",
    ]);
    t.strictSame(lines({ kind: "replace-route", route }), [
      "route replace unicast 198.19.0.1/32 table 21300 metric 5 protocol 213 src 198.18.213.1 congctl bbr mtu 1280 initcwnd 64 nexthop via inet 10.0.0.2 dev dev weight 2 onlink nexthop dev via weight 1",
    ]);
    t.strictSame(lines({ kind: "remove-route", route: { table: 7, destination: "default", kind: "unreachable", nextHops: [] } }), [
      "route delete unreachable 0.0.0.0/0 table 7 protocol 213",
    ]);
    const mark = { value: 0x3f000000, mask: 0xff000000 };
    t.strictSame(
      lines({
        kind: "add-rule",
        rule: { preference: 9, from: "10.0.0.0/8", to: "1.2.3.4", mark, incoming: "b", bound: "c", action: { kind: "unreachable" } },
      }),
      ["rule add pref 9 from 10.0.0.0/8 to 1.2.3.4/32 fwmark 0x3f000000/0xff000000 iif b oif c type unreachable protocol 213"],
    );
    t.strictSame(lines({ kind: "add-endpoint", endpoint: { address: "198.19.16.2", device: "id", backup: true } }), [
      "mptcp endpoint add 198.19.16.2 dev id id 17 subflow backup",
    ]);
    t.strictSame(
      lines({ kind: "remove-address", address: { device: "lo", address: "198.19.0.9", prefixLength: 32, peer: "198.19.0.8" } }),
      ["address delete 198.19.0.9 peer 198.19.0.8/32 dev lo"],
    );
  });
  await t.test("refuse what ip would read as something else", (t) => {
    for (const text of ["", "-4", "a b", "a\tb", "a\nb", "a#b", 'a"b', "a'b", "a\\", "a\u0000", "\u0085", "\u00a0"]) {
      t.throws(() => word(text), { name: "RenderError" }, JSON.stringify(text));
    }
    const hop = (device: string, via = "10.0.0.2"): IpOperation => ({
      kind: "add-route",
      route: { table: 1, destination: "default", kind: "unicast", nextHops: [{ device, via }] },
    });
    for (const bad of [
      hop("a/b"),
      hop(".."),
      hop("sixteen-letters-x"),
      hop("eth0", "all"),
      hop("eth0", "10.0.0.2 dev x"),
      hop("eth0", "::1"),
    ]) {
      t.throws(() => lines(bad), { name: "RenderError" });
    }
    for (const table of [0, -1, 1.5, Number.NaN, 2 ** 32]) {
      t.throws(() => lines({ kind: "add-rule", rule: { preference: 1, action: { kind: "lookup", table } } }), { name: "RenderError" });
    }
    for (const from of ["all", "10.0.0.1/8", "10.0.0.0/33", "::/0", "a"]) {
      t.throws(() => lines({ kind: "add-rule", rule: { preference: 1, from, action: { kind: "unreachable" } } }), { name: "RenderError" });
    }
  });
  await t.test("whatever a device is called, its line keeps its words", (t) => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 16 }), (name) => {
        try {
          const [line = ""] = lines({ kind: "remove-device", name });
          return line.split(/[ \t\n]/).length === 4 && line.endsWith(` dev ${name}`);
        } catch (error) {
          return error instanceof RenderError;
        }
      }),
    );
    t.pass();
  });
  await t.test("identifiers of endpoints go round, past those in use", (t) => {
    const ids = new EndpointIds(253);
    const used = new Set([255, 2]);
    t.strictSame([ids.next(used), ids.next(used), ids.next(used), ids.next(used)], [254, 1, 3, 4]);
    const all = new Set(Array.from({ length: 255 }, (_, i) => i + 1));
    t.throws(() => ids.next(all), RangeError);
  });
  await t.test("what ip says about lines that failed", (t) => {
    const said =
      'RTNETLINK answers: File exists\nCommand failed -:3\nError: x\nmore\nCommand failed -:5\nError: argument "nope" is wrong\n\n';
    t.strictSame(parseBatchErrors(said), {
      failed: [
        { line: 3, words: "RTNETLINK answers: File exists" },
        { line: 5, words: "Error: x; more" },
      ],
      rest: 'Error: argument "nope" is wrong',
    });
    t.strictSame(parseBatchErrors(""), { failed: [], rest: "" });
  });
});

test("the digest of an nft listing", async (t) => {
  const listing = (parts: {
    handle?: number;
    packets?: number;
    elements?: string;
    used?: number;
    port?: number;
    flags?: string;
    op?: string;
  }): string =>
    `{"nftables": [{"metainfo": {"version": "1.0.6"}}, {"table": {"family": "inet", "name": "binder", "handle": ${parts.handle ?? 2}}},
    {"quota": {"name": "q", "bytes": 100, "used": ${parts.used ?? 0}}},
    {"set": {"family": "inet", "name": "s", "table": "binder", "type": "ipv4_addr"${parts.flags ?? ""}, "elem": [${parts.elements ?? '"1.2.3.4"'}]}},
    {"rule": {"handle": ${parts.handle ?? 7}, "expr": [{"counter": {"packets": ${parts.packets ?? 0}, "bytes": ${(parts.packets ?? 0) * 9}}},
    ${parts.op ?? ""} {"redirect": {"port": ${parts.port ?? 2130}}}]}}]}`;
  const digestOf = (parts: Parameters<typeof listing>[0]): string => digest(stableListing(listing(parts)));
  await t.test("stays while only counters, handles, what is used and elements that packets add move", (t) => {
    t.equal(digestOf({ handle: 9, packets: 5, used: 3 }), digestOf({}));
    for (const more of [
      { flags: ', "flags": ["timeout"]' },
      { flags: ', "flags": "dynamic"' },
      { op: '{"set": {"op": "add", "elem": 1, "set": "@s"}},' },
    ]) {
      t.equal(digestOf({ ...more, elements: '"5.6.7.8"' }), digestOf(more));
    }
    t.equal(digest(stableListing(listing({}).replace("1.0.6", "1.1.3"))), digestOf({}));
  });
  await t.test("changes with a rule or a fixed set's elements", (t) => {
    t.not(digestOf({ port: 2131 }), digestOf({}));
    t.not(digestOf({ elements: '"1.2.3.5"' }), digestOf({}));
  });
  await t.test("tells similar texts apart", (t) => {
    const texts = Array.from({ length: 3000 }, (_, i) => `chain ${i}`);
    t.equal(new Set(texts.map(digest)).size, texts.length);
    t.match(digest(""), /^[0-9a-f]{16}$/);
  });
});

test("the body of an nft table is refused when it would reach beyond its braces", (t) => {
  for (const body of ["chain a { accept }", "", '# { a comment\ncomment "{ x"\n', "set s {\n}\n"])
    t.equal(refusal(body), undefined, JSON.stringify(body));
  for (const body of ["}", "chain a {", "} table ip x {", 'comment "a', "\u0000", "a\rb", 'include "/etc/passwd"', "{ # }"]) {
    t.match(refusal(body), /^the table.s text/, JSON.stringify(body));
  }
});

test("lines of ip monitor that concern Binder", async (t) => {
  const says = (line: string, relevance = new Relevance(ownership)): boolean => relevance.binder(line);
  await t.test("its rules and routes, and any IPv4 address, as the kernel drops routes with them", (t) => {
    for (const line of [
      "Deleted 701:\tfrom 198.18.213.1 lookup 21301 proto 213",
      "default table 21301 proto 213 metric 4 \\\tnexthop dev binder-1 weight 1 linkdown \\\tnexthop dev lan weight 1 ",
      "Deleted 4: binder-1    inet 198.19.16.2/20 scope 0 binder-1\\       valid_lft forever preferred_lft forever",
      "3: lan    inet 10.0.0.1/24 scope 0 lan\\       valid_lft forever preferred_lft forever",
    ]) {
      t.ok(says(line), line);
    }
  });
  await t.test("not those of others", (t) => {
    for (const line of [
      "801:\tfrom 198.18.213.9 lookup 21301",
      "9.9.9.9 dev lan scope 253 ",
      "9.9.9.9 dev lan proto 2130 scope 253 ",
      "Deleted 3: lan    inet6 fe80::f0f8:e9ff:fef1:341a/64 scope 253 tentative \\       valid_lft forever preferred_lft forever",
      "Deleted fe80::/64 dev lan proto 2 metric 256 pref medium",
      "",
    ]) {
      t.notOk(says(line), line);
    }
  });
  await t.test("a link when it says something new", (t) => {
    const relevance = new Relevance(ownership);
    const lan = (flags: string): boolean =>
      says(`3: lan@lan2: <BROADCAST,${flags}> mtu 1500 qdisc noqueue state DOWN group 0 \\    link/[1] f2:f8`, relevance);
    const tun = (mtu: number): boolean =>
      says(`4: binder-1: <NOARP,UP> mtu ${mtu} qdisc noop state DOWN group 0 \\    link/[65534] `, relevance);
    t.strictSame([lan("UP"), lan("UP"), lan("DOWN"), lan("UP")], [true, false, true, true]);
    t.strictSame([tun(1400), tun(1400), tun(1300)], [true, false, true]);
    t.ok(says("Deleted 4: binder-1: <NOARP> mtu 1400 qdisc noop state DOWN group 0 \\    link/[65534] ", relevance));
    t.ok(tun(1300), "made again");
  });
});
