import fc from "fast-check";
import { formatWays, learnNetworks, parseWays, wayOf, whyNot } from "../../src/home/ways.ts";
import type { NetworkState } from "../../src/netifd/state.ts";
import { test } from "../harness/index.ts";

const up = (device: string, nextHop?: string, resolvers: readonly string[] = []): NetworkState => ({
  kind: "up",
  device,
  nextHop,
  addresses: ["192.0.2.7/24"],
  resolvers,
});
const learn = (...steps: readonly (readonly (readonly [string, NetworkState])[])[]) =>
  steps.reduce((known, step) => learnNetworks(known, new Map(step)), learnNetworks(new Map(), new Map()));
const wan = { kind: "network", network: "wan" } as const;

test("the way to a network's gateway is what netifd said when it was up last", (t) => {
  const way = { device: "eth1", via: "192.0.2.1", resolvers: ["9.9.9.9"] };
  const known = learn([["wan", up("eth1", "192.0.2.1", ["9.9.9.9"])]]);
  t.same(wayOf(wan, known), { way });
  t.same(
    wayOf(wan, learn([["wan", up("eth1", "192.0.2.1", ["9.9.9.9"])]], [["wan", { kind: "down", reason: "" }]])),
    { way },
    "it is down",
  );
  t.same(wayOf(wan, learnNetworks(known, new Map([["wan", up("pppoe-wan", undefined)]]))), {
    way: { device: "pppoe-wan", via: undefined, resolvers: [] },
  });
  t.same(
    wayOf(wan, learn([["wan", up("eth1", "192.0.2.1")]])),
    { way: { device: "eth1", via: "192.0.2.1", resolvers: ["192.0.2.1"] } },
    "a router answers for names, as with device and via",
  );
  t.same(wayOf({ kind: "via", device: "usb0", via: "192.168.8.1" }, known), {
    way: { device: "usb0", via: "192.168.8.1", resolvers: ["192.168.8.1"] },
  });
});

test("why there is no way", (t) => {
  const why = (state: NetworkState | undefined): string => whyNot("wan", learn(state === undefined ? [] : [["wan", state]]));
  t.match(why(undefined), /netifd says nothing of it/);
  t.equal(why({ kind: "absent" }), "there is no network 'wan' in /etc/config/network");
  t.equal(why({ kind: "down", reason: "NO_DEVICE" }), "network 'wan' is down (NO_DEVICE)");
  t.equal(why({ kind: "down", reason: "" }), "network 'wan' is down");
  const removed = learn([["wan", up("eth1", "192.0.2.1")]], [["wan", { kind: "absent" }]]);
  t.same(wayOf(wan, removed), { reason: why({ kind: "absent" }) }, "one that was removed has none any more");
  t.match(JSON.stringify(wayOf({ kind: "remote", remote: "10.45.0.7", encap: "gre" }, removed)), /not built yet/);
});

test("ways are kept in a file, whatever they are", (t) => {
  const word = fc.stringMatching(/^[a-z0-9._-]{1,15}$/);
  const address = fc.ipV4();
  const way = fc.record({ device: word, via: fc.option(address, { nil: undefined }), resolvers: fc.array(address, { maxLength: 3 }) });
  fc.assert(
    fc.property(fc.uniqueArray(fc.tuple(word, way), { selector: ([name]) => name }), (all) => {
      const known = new Map(all.map(([name, one]) => [name, { state: { kind: "absent" } as const, way: one }]));
      const read = [...parseWays(formatWays(known))].map(([name, one]) => [name, one.way]);
      return JSON.stringify(read) === JSON.stringify(all);
    }),
  );
  t.equal(formatWays(learn([["wan", { kind: "absent" }]])), "");
  t.equal(parseWays("").size, 0);
  t.equal(parseWays("wan\nwan eth1\n\n").size, 0, "lines that are no ways");
  fc.assert(
    fc.property(fc.string(), (text) => {
      parseWays(text);
    }),
  );
});
