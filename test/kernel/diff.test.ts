import fc from "fast-check";
import type { ActualState } from "../../src/kernel/actual.ts";
import { SUBFLOW_LIMIT } from "../../src/kernel/actual.ts";
import { diff } from "../../src/kernel/diff.ts";
import { type Operation, operationText } from "../../src/kernel/operations.ts";
import { emptyState, type KernelState, type Route, type Rule, type Sysctl } from "../../src/kernel/state.ts";
import { stateText } from "../../src/kernel/text.ts";
import { raised } from "../../src/kernel/values.ts";
import { test } from "../harness/index.ts";
import { applyToModel, comparable, nothing } from "./model.ts";

const BEFORE: readonly Sysctl[] = [
  { key: "net/ipv4/tcp_rmem", mode: "set", value: "4096 131072 1048576" },
  { key: "net/mptcp/blackhole_timeout", mode: "set", value: "3600" },
];
const fresh: ActualState = { ...nothing, sysctls: BEFORE };

/** What varies of one gateway in a home's state. */
const gateway = fc.record({
  mtu: fc.constantFrom(1300, 1400),
  via: fc.constantFrom("10.0.0.2", "10.0.0.3"),
  live: fc.boolean(),
  backup: fc.boolean(),
  weight: fc.integer({ min: 1, max: 3 }),
  home: fc.constantFrom(2, 3),
  carrier: fc.integer({ min: 1, max: 3 }),
});
type Gateway = typeof gateway extends fc.Arbitrary<infer T> ? T : never;

const values = fc.subarray<Sysctl>([
  { key: "net/ipv4/tcp_rmem", mode: "raise", value: "4096 131072 8388608" },
  { key: "net/mptcp/blackhole_timeout", mode: "set", value: "0" },
]);

const state = fc
  .record({
    gateways: fc.array(fc.option(gateway, { nil: undefined }), { maxLength: 4 }),
    subflowLimit: fc.constantFrom(0, 1, 8),
    sysctls: values,
    nft: fc.option(fc.constantFrom("chain a { }", "chain b { }"), { nil: undefined }),
  })
  .map(({ gateways, ...rest }) => build(gateways, rest));

function build(gateways: readonly (Gateway | undefined)[], rest: Pick<KernelState, "subflowLimit" | "sysctls" | "nft">): KernelState {
  const states = gateways.map((item, i) => (item === undefined ? emptyState : buildOne(item, i + 1)));
  const live = gateways.flatMap((item, i) => (item?.live === true ? [{ device: `binder-${i + 1}`, weight: item.weight }] : []));
  const service: Route[] =
    live.length === 0 ? [] : [{ table: 21300, destination: "198.19.0.1", kind: "unicast", nextHops: live, source: "198.18.213.1" }];
  const toRelay: Rule[] = live.length === 0 ? [] : [{ preference: 760, to: "198.19.0.0/16", action: { kind: "lookup", table: 21300 } }];
  return {
    devices: states.flatMap(({ devices }) => devices),
    addresses: [...states.flatMap(({ addresses }) => addresses), { device: "lo", address: "198.18.213.1", prefixLength: 32 }],
    rules: [...states.flatMap(({ rules }) => rules), ...toRelay],
    routes: [...states.flatMap(({ routes }) => routes), ...service],
    endpoints: states.flatMap(({ endpoints }) => endpoints),
    subflowLimit: rest.subflowLimit,
    sysctls: [...rest.sysctls, ...states.flatMap(({ sysctls }) => sysctls)],
    nft: rest.nft,
  };
}

function buildOne(item: Gateway, i: number): KernelState {
  const device = `binder-${i}`;
  const address = `198.19.${i * 16}.${item.home}`;
  const mark = { value: 0x20000000 + i * 0x01000000, mask: 0x3f000000 };
  return {
    devices: [{ name: device, mtu: item.mtu, txQueueLength: 500 }],
    addresses: [{ device, address, prefixLength: 20 }],
    rules: [
      { preference: 730 + i, from: address, action: { kind: "lookup", table: 21330 + i } },
      { preference: 775 + i, mark, action: item.live ? { kind: "lookup", table: 21330 + i } : { kind: "unreachable" } },
    ],
    routes: [
      { table: 21300 + i, destination: "default", kind: "unicast", nextHops: [{ device: "lan", via: item.via, onlink: true }] },
      { table: 21330 + i, destination: "default", kind: "unicast", nextHops: [{ device }] },
      { table: 21330 + i, destination: "default", kind: "unreachable", nextHops: [], metric: 4_294_967_295 },
    ],
    endpoints: item.live ? [{ address, device, backup: item.backup }] : [],
    subflowLimit: 0,
    sysctls: [{ key: `net/ipv4/conf/${device}/ignore_routes_with_linkdown`, mode: "set", value: "1" }],
    nft: undefined,
  };
}

const apply = (start: ActualState, operations: readonly Operation[]): ActualState => operations.reduce(applyToModel, start);
const reach = (start: ActualState, desired: KernelState): ActualState => apply(start, diff(desired, start));
const texts = (desired: KernelState, actual: ActualState): string[] => diff(desired, actual).map(operationText);

test("applying the difference reaches the desired state, and nothing differs then", (t) => {
  fc.assert(
    fc.property(state, state, (first, second) => {
      const start = reach(fresh, first);
      const end = reach(start, second);
      if (stateText(comparable(end)) !== stateText(comparable(second))) return false;
      const limit = Math.max(2, second.subflowLimit);
      const rmem = second.sysctls.some(({ key }) => key === "net/ipv4/tcp_rmem") ? "4096 131072 8388608" : "4096 131072 1048576";
      const found = end.sysctls.find(({ key }) => key === "net/ipv4/tcp_rmem")?.value;
      return end.subflowLimit === limit && found === rmem && diff(second, end).length === 0;
    }),
    { numRuns: 300 },
  );
  t.pass();
});

test("what is in both states is not touched", (t) => {
  fc.assert(
    fc.property(state, state, (first, second) => {
      const start = reach(fresh, first);
      const words = texts(second, start);
      const before = new Set(stateText(comparable(first)).split("\n"));
      const kept = stateText(comparable(second))
        .split("\n")
        .filter((line) => before.has(line) && line.includes(" "));
      return kept.every((line) => !words.some((word) => word === `add ${line}` || word === `remove ${line}` || word === `replace ${line}`));
    }),
    { numRuns: 300 },
  );
  t.pass();
});

/** Nothing hangs in the air: a route's device and source, an endpoint's address, a rule's table. */
function flaws(actual: ActualState): string[] {
  const devices = new Set(["lan", ...actual.devices.map(({ name }) => name)]);
  const addresses = new Set(actual.addresses.map(({ address }) => address));
  const tables = new Set(actual.routes.map(({ table }) => table));
  return [
    ...actual.routes.flatMap(({ nextHops }) =>
      nextHops.filter(({ device }) => !devices.has(device)).map(({ device }) => `no device ${device}`),
    ),
    ...actual.routes.flatMap(({ source }) => (source === undefined || addresses.has(source) ? [] : [`no source ${source}`])),
    ...actual.endpoints.flatMap(({ address }) => (addresses.has(address) ? [] : [`no address ${address}`])),
    ...actual.rules.flatMap(({ action }) =>
      action.kind === "lookup" && !tables.has(action.table) ? [`table ${action.table} is empty`] : [],
    ),
    ...(actual.endpoints.length > actual.subflowLimit ? ["endpoints beyond the limit"] : []),
  ];
}

test("after every single operation nothing is half reachable", (t) => {
  const settled = fc
    .array(
      fc.option(
        gateway.map((item): Gateway => ({ ...item, home: 2 })),
        { nil: undefined },
      ),
      { maxLength: 4 },
    )
    .map((gateways) => build(gateways, { subflowLimit: 8, sysctls: [], nft: "chain a { }" }));
  fc.assert(
    fc.property(fc.oneof(settled, fc.constant(emptyState)), fc.oneof(settled, fc.constant(emptyState)), (first, second) => {
      let actual = reach(fresh, first);
      for (const operation of diff(second, actual)) {
        actual = applyToModel(actual, operation);
        const found = flaws(actual);
        if (found.length > 0) throw new Error(`after "${operationText(operation)}": ${found.join(", ")}`);
      }
      return true;
    }),
    { numRuns: 300 },
  );
  t.pass();
});

test("cleanup from anything leads back to what was there before", (t) => {
  fc.assert(
    fc.property(fc.array(state, { minLength: 1, maxLength: 4 }), (states) => {
      const end = reach(states.reduce(reach, fresh), emptyState);
      const sorted = (sysctls: readonly Sysctl[]): string => JSON.stringify([...sysctls].sort((a, b) => (a.key < b.key ? -1 : 1)));
      return (
        stateText(comparable(end)) === "" &&
        end.subflowLimit === 2 &&
        sorted(end.sysctls) === sorted(BEFORE) &&
        diff(emptyState, end).length === 0
      );
    }),
    { numRuns: 300 },
  );
  t.pass();
});

const sysctl = (mode: Sysctl["mode"], value: string): KernelState => ({ ...emptyState, sysctls: [{ key: "net/x", mode, value }] });
const with_ = (value: string, saved: ActualState["saved"] = {}): ActualState => ({
  ...nothing,
  sysctls: [{ key: "net/x", mode: "set", value }],
  saved,
});

test("former values", async (t) => {
  await t.test("the true one survives a second run, a change of mind, and a crash between saving and writing", (t) => {
    let actual = reach(with_("1"), sysctl("set", "2"));
    t.strictSame(actual.saved, { "net/x": { former: "1", ours: ["2"] } });
    actual = reach(actual, sysctl("set", "3"));
    t.strictSame(actual.saved, { "net/x": { former: "1", ours: ["2", "3"] } });
    // Saved, but the write of 3 never came.
    const crashed = reach({ ...actual, sysctls: [{ key: "net/x", mode: "set", value: "2" }] }, sysctl("set", "3"));
    t.strictSame(crashed.saved, { "net/x": { former: "1", ours: ["2", "3"] } });
    t.equal(reach(crashed, emptyState).sysctls[0]?.value, "1");
    t.strictSame(reach(crashed, emptyState).saved, {});
  });
  await t.test("what somebody else has set since is left alone", (t) => {
    const touched = with_("7", { "net/x": { former: "1", ours: ["2"] } });
    t.strictSame(texts(emptyState, touched), ["forget the former value of net/x"]);
    t.equal(reach(touched, emptyState).sysctls[0]?.value, "7");
    t.strictSame(reach(touched, sysctl("set", "3")).saved, { "net/x": { former: "7", ours: ["3"] } }, "theirs is the former one now");
  });
  await t.test("a wish for the former value drops what was saved", (t) => {
    const back = reach(with_("2", { "net/x": { former: "1", ours: ["2"] } }), sysctl("set", "1"));
    t.strictSame([back.sysctls[0]?.value, back.saved], ["1", {}]);
  });
  await t.test("raising takes the larger of each number", (t) => {
    t.equal(raised("4096 131072 1048576", "4096 65536 8388608"), "4096 131072 8388608");
    t.equal(raised("1 2", "1 2 3"), "1 2 3");
    t.strictSame(texts(sysctl("raise", "5"), with_("6")), []);
    const lowered = reach(reach(with_("5"), sysctl("raise", "9")), sysctl("raise", "7"));
    t.strictSame([lowered.sysctls[0]?.value, lowered.saved], ["7", { "net/x": { former: "5", ours: ["9", "7"] } }]);
  });
  await t.test("a sysctl that the kernel has not is passed over; a device's comes with it and is not saved", (t) => {
    t.strictSame(texts(sysctl("set", "1"), nothing), []);
    const key = "net/ipv4/conf/binder-1/rp_filter";
    const device = { name: "binder-1", mtu: 1400, txQueueLength: 500 };
    const wanted: KernelState = { ...emptyState, devices: [device], sysctls: [{ key, mode: "set", value: "2" }] };
    t.strictSame(texts(wanted, nothing), ["add tun binder-1 mtu 1400 txqueuelen 500", `write 2 to sysctl ${key}`]);
    t.strictSame(reach(nothing, wanted).saved, {});
    const other = { ...reach(nothing, wanted), sysctls: [{ key, mode: "set", value: "0" }] } as const;
    t.strictSame([texts(wanted, other), reach(other, wanted).saved], [[`write 2 to sysctl ${key}`], {}]);
  });
  await t.test("the limit of subflows is only raised, and put back", (t) => {
    const raisedLimit = reach(nothing, { ...emptyState, subflowLimit: 8 });
    t.strictSame([raisedLimit.subflowLimit, raisedLimit.saved], [8, { [SUBFLOW_LIMIT]: { former: "2", ours: ["8"] } }]);
    t.equal(reach(raisedLimit, emptyState).subflowLimit, 2);
    t.strictSame(texts({ ...emptyState, subflowLimit: 1 }, nothing), []);
    t.strictSame(texts({ ...emptyState, subflowLimit: 8 }, { ...nothing, hasMptcp: false, subflowLimit: 0 }), []);
  });
});

test("what stands in the way goes first", async (t) => {
  const device = { name: "binder-1", mtu: 1400, txQueueLength: 500 };
  const route: Route = { table: 21331, destination: "default", kind: "unicast", nextHops: [{ device: "binder-1" }] };
  await t.test("a device of another kind, and what the kernel drops with it", (t) => {
    const desired = {
      ...emptyState,
      devices: [device],
      addresses: [{ device: "binder-1", address: "198.19.16.2", prefixLength: 32 }],
      routes: [route],
    };
    const actual = { ...nothing, ...desired, endpoints: [], devices: [{ ...device, up: true, persistentTun: false }] };
    t.strictSame(texts(desired, actual), [
      "remove device binder-1",
      "add tun binder-1 mtu 1400 txqueuelen 500",
      "add address 198.19.16.2/32 dev binder-1",
      "add route unicast default table 21331 metric 0 dev binder-1",
    ]);
  });
  await t.test("a device that is down or has another MTU is changed in place", (t) => {
    const desired = { ...emptyState, devices: [device] };
    const words = ["change tun binder-1 mtu 1400 txqueuelen 500"];
    t.strictSame(texts(desired, { ...nothing, devices: [{ ...device, up: false, persistentTun: true }] }), words);
    t.strictSame(texts(desired, { ...nothing, devices: [{ ...device, mtu: 1300, up: true, persistentTun: true }] }), words);
    t.strictSame(texts(desired, { ...nothing, devices: [{ ...device, up: true, persistentTun: true }] }), []);
  });
  await t.test("an address of the same subnet, as the kernel would take the new one along with it", (t) => {
    const at = (address: string, prefixLength: number) => ({ device: "binder-1", address, prefixLength });
    const change = (to: ReturnType<typeof at>, from: ReturnType<typeof at>): string[] =>
      texts(
        { ...emptyState, devices: [device], addresses: [to] },
        { ...nothing, devices: [{ ...device, up: true, persistentTun: true }], addresses: [from] },
      );
    const [same, other] = [change(at("198.19.16.9", 20), at("198.19.16.2", 20)), change(at("198.19.16.9", 32), at("198.19.16.2", 32))];
    t.strictSame(same, ["remove address 198.19.16.2/20 dev binder-1", "add address 198.19.16.9/20 dev binder-1"]);
    t.strictSame(other, ["add address 198.19.16.9/32 dev binder-1", "remove address 198.19.16.2/32 dev binder-1"]);
  });
  await t.test("an endpoint of other flags or device is made anew, one that is a backup by mistake is changed", (t) => {
    const wanted = { address: "198.19.16.2", device: "binder-1", backup: false };
    const has = (found: Partial<ActualState["endpoints"][number]>): ActualState => ({
      ...nothing,
      endpoints: [{ ...wanted, id: 5, odd: false, implicit: false, ...found }],
    });
    const change = (found: Partial<ActualState["endpoints"][number]>): string[] =>
      texts({ ...emptyState, endpoints: [wanted] }, has(found));
    const anew = ["remove endpoint 198.19.16.2", "add endpoint 198.19.16.2 dev binder-1 subflow"];
    t.strictSame(change({}), []);
    t.strictSame(change({ backup: true }), ["change endpoint 198.19.16.2 dev binder-1 subflow"]);
    t.strictSame(change({ device: "lan" }), anew);
    t.strictSame(change({ odd: true }), anew);
    t.strictSame(change({ implicit: true }), ["add endpoint 198.19.16.2 dev binder-1 subflow"], "the kernel replaces its own");
  });
});

test("routes", async (t) => {
  const hop = (device: string, weight?: number) => (weight === undefined ? { device } : { device, weight });
  const to = (nextHops: Route["nextHops"], more: Partial<Route> = {}): Route => ({
    table: 21300,
    destination: "198.19.0.1",
    kind: "unicast",
    nextHops,
    ...more,
  });
  const change = (wanted: Route, found: Route): string[] => texts({ ...emptyState, routes: [wanted] }, { ...nothing, routes: [found] });
  await t.test("one whose next hops, source or kind change is replaced", (t) => {
    const words = (end: string): string[] => [`replace route unicast 198.19.0.1 table 21300 metric 0 ${end}`];
    t.strictSame(change(to([hop("binder-1")]), to([hop("binder-2")])), words("dev binder-1"));
    t.strictSame(change(to([hop("binder-1")], { source: "198.18.213.1" }), to([hop("binder-1")])), words("src 198.18.213.1 dev binder-1"));
    t.strictSame(change(to([hop("binder-1")]), to([], { kind: "unreachable" })), words("dev binder-1"));
    const weighted = words("nexthop dev binder-1 weight 2 nexthop dev binder-2 weight 1");
    t.strictSame(change(to([hop("binder-1", 2), hop("binder-2")]), to([hop("binder-1"), hop("binder-2")])), weighted);
  });
  await t.test("the order of next hops, a lone weight and the ways to write a host mean nothing", (t) => {
    t.strictSame(change(to([hop("binder-1"), hop("binder-2", 1)]), to([hop("binder-2"), hop("binder-1", 1)])), []);
    t.strictSame(change(to([hop("binder-1", 7)]), to([hop("binder-1")], { destination: "198.19.0.1/32", metric: 0 })), []);
    t.strictSame(
      change(to([], { kind: "unreachable", destination: "0.0.0.0/0" }), to([], { kind: "unreachable", destination: "default" })),
      [],
    );
  });
  await t.test("another metric is another route: the new one comes before the old one goes", (t) => {
    t.strictSame(change(to([hop("binder-1")], { metric: 5 }), to([hop("binder-1")])), [
      "add route unicast 198.19.0.1 table 21300 metric 5 dev binder-1",
      "remove route unicast 198.19.0.1 table 21300 metric 0 dev binder-1",
    ]);
  });
  await t.test("one of a kind that Binder never makes is replaced where its place is wanted, and removed elsewhere", (t) => {
    const odd = { table: 21300, destination: "198.19.0.1", type: "6" };
    const actual = { ...nothing, oddRoutes: [odd, { ...odd, table: 21301 }] };
    t.strictSame(texts({ ...emptyState, routes: [to([hop("binder-1")])] }, actual), [
      "replace route unicast 198.19.0.1 table 21300 metric 0 dev binder-1",
      "remove route 198.19.0.1 table 21301 metric 0",
    ]);
  });
});
