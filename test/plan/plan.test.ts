import fc from "fast-check";
import * as addresses from "../../src/plan/addresses.ts";
import { type Decision, MARK_MASK, MARK_ROUTE_PROBE, markOf } from "../../src/plan/marks.ts";
import * as numbers from "../../src/plan/numbers.ts";
import { test } from "../harness/index.ts";

const { formatIpv4, formatPrefix, parseIpv4, parsePrefix } = addresses;

/** A prefix that the test knows to be one. */
function prefix(text: string): addresses.Prefix {
  const found = parsePrefix(text);
  if (found === undefined) throw new Error(`${text} is no prefix`);
  return found;
}

const anyAddress = fc.integer({ min: 0, max: 0xffffffff });
const anyPrefix = fc.record({ address: anyAddress, length: fc.integer({ min: 0, max: 32 }) }).map(({ address, length }) => {
  const size = 2 ** (32 - length);
  return { base: address - (address % size), length };
});
const gateways = Array.from({ length: 15 }, (_, index) => index + 1);

test("addresses are read and written", (t) => {
  fc.assert(fc.property(anyAddress, (value) => parseIpv4(formatIpv4(value)) === value));
  t.equal(parseIpv4("198.19.255.254"), 0xc613fffe);
  t.equal(formatIpv4(0xffffffff), "255.255.255.255");
  const none = [
    "",
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.256",
    "01.2.3.4",
    "1.2.3.4 ",
    " 1.2.3.4",
    "1..3.4",
    "1.2.3.-4",
    "1.2.3.4e0",
    "0x1.2.3.4",
    "::1",
  ];
  for (const text of none) t.equal(parseIpv4(text), undefined, `"${text}"`);
});

test("prefixes are read and written", (t) => {
  fc.assert(
    fc.property(anyPrefix, (value) => {
      const found = parsePrefix(formatPrefix(value));
      return found?.base === value.base && found.length === value.length;
    }),
  );
  t.strictSame(parsePrefix("10.0.0.1"), { base: 0x0a000001, length: 32 });
  t.strictSame(parsePrefix("0.0.0.0/0"), { base: 0, length: 0 });
  const none = ["10.0.0.1/24", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/08", "10.0.0.0/8/8", "/8", "10.0.0.0/-1", "10.0.0.0/8 "];
  for (const text of none) t.equal(parsePrefix(text), undefined, `"${text}"`);
});

test("prefixes overlap if one has the other's first address", (t) => {
  fc.assert(
    fc.property(anyPrefix, anyPrefix, (a, b) => {
      const end = (p: addresses.Prefix): number => p.base + 2 ** (32 - p.length);
      const wanted = Math.max(a.base, b.base) < Math.min(end(a), end(b));
      return addresses.overlap(a, b) === wanted && addresses.overlap(b, a) === wanted;
    }),
  );
  t.ok(addresses.contains(prefix("198.18.0.0/15"), 0xc613ffff));
  t.notOk(addresses.contains(prefix("198.18.0.0/15"), 0xc6140000));
});

test("every gateway has an alias of its own", (t) => {
  const aliases = gateways.map((i) => addresses.aliasOf(prefix(numbers.DEFAULT_ALIAS_PREFIX), i));
  t.equal(aliases[0], "198.18.213.1");
  t.equal(aliases[14], "198.18.213.15");
  t.equal(new Set(aliases).size, 15);
});

test("sixteen blocks fill the lane prefix and do not overlap", (t) => {
  const lanes = prefix(numbers.DEFAULT_LANE_PREFIX);
  const blocks = Array.from({ length: 16 }, (_, block) => addresses.blockOf(lanes, block));
  t.same(blocks.slice(0, 2).map(formatPrefix), ["198.19.0.0/20", "198.19.16.0/20"]);
  t.equal(formatPrefix(addresses.blockOf(lanes, 15)), "198.19.240.0/20");
  for (const [index, block] of blocks.entries()) {
    t.ok(addresses.contains(lanes, block.base), formatPrefix(block));
    for (const other of blocks.slice(index + 1)) t.notOk(addresses.overlap(block, other));
  }
});

test("a home is the same number in every block, the relay is 1", (t) => {
  const lanes = prefix(numbers.DEFAULT_LANE_PREFIX);
  t.equal(addresses.homeAddress(lanes, 0, 2), "198.19.0.2");
  t.equal(addresses.homeAddress(lanes, 3, 7), "198.19.48.7");
  t.equal(addresses.homeAddress(lanes, 15, numbers.MAX_HOME), "198.19.255.254");
  t.equal(addresses.relayAddress(lanes, 0), "198.19.0.1");
  t.equal(addresses.relayAddress(lanes, 15), "198.19.240.1");
});

test("marks: each decision has its own, within the mask, and none is the probe's or 0", (t) => {
  const decisions: readonly Decision[] = [
    { kind: "bypass" },
    { kind: "proxy" },
    ...gateways.map((gateway): Decision => ({ kind: "direct", gateway })),
    ...gateways.map((gateway): Decision => ({ kind: "lane", gateway })),
  ];
  const marks = decisions.map(markOf);
  t.equal(new Set(marks).size, decisions.length, "no two alike");
  for (const mark of marks) {
    t.equal(mark & ~MARK_MASK, 0, `0x${mark.toString(16)} is within the mask`);
    t.not(mark, 0);
    t.not(mark, MARK_ROUTE_PROBE);
  }
  t.equal(MARK_MASK & (0x3f00 | 0xff0000), 0, "clear of mwan3's, pbr's and Tailscale's");
  t.equal(markOf({ kind: "lane", gateway: 15 }), 0x2f000000);
  t.equal(markOf({ kind: "direct", gateway: 1 }), 0x11000000);
});

test("tables, rule preferences and ports do not collide", (t) => {
  const tables = [
    numbers.TABLE_RELAY,
    numbers.TABLE_NO_ROUTE,
    ...gateways.flatMap((i) => [numbers.tableOfGateway(i), numbers.tableOfLane(i)]),
  ];
  t.equal(new Set(tables).size, 32);
  const named = Object.entries(numbers).flatMap(([name, value]) => (name.startsWith("PREF_") && typeof value === "number" ? [value] : []));
  const numbered = gateways.flatMap((i) => [
    numbers.prefOfAlias(i),
    numbers.prefOfLane(i),
    numbers.prefOfDirectMark(i),
    numbers.prefOfLaneMark(i),
  ]);
  const prefs = [...named, ...numbered];
  t.ok(named.includes(numbers.PREF_RELAY));
  t.equal(new Set(prefs).size, prefs.length);
  t.ok(
    prefs.every((pref) => (pref >= 700 && pref < 800) || pref === numbers.PREF_NO_ROUTE),
    "below mwan3's 1000",
  );
  t.equal(numbers.PREF_NO_ROUTE, 33_000, "behind the main and default tables");
  t.equal(numbers.tableOfGateway(3), 21303);
  t.equal(numbers.tableOfLane(3), 21333);
  t.equal(numbers.portOfLane(numbers.DEFAULT_BASE_PORT, 15), 21315);
  t.equal(numbers.deviceOfLane(4), "binder-4");
  t.equal(numbers.deviceOfRelayLane(4), "binder-l4");
});
