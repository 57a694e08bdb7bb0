import { parsePrefix } from "../../src/plan/addresses.ts";
import { TABLE_LANE_WINDOWS } from "../../src/plan/numbers.ts";
import { sendLimit } from "../../src/plan/tcp-buffers.ts";
import { desiredState, lanesRouted } from "../../src/relay/desired.ts";
import type { LiveLanes, RelayPlan } from "../../src/relay/plan.ts";
import { test } from "../harness/index.ts";

const plan: RelayPlan = {
  config: {
    enabled: true,
    name: "coop",
    addresses: ["45.0.100.2"],
    port: 21300,
    prefix: parsePrefix("198.19.0.0/16") ?? { base: 0, length: 0 },
    lanes: 4,
    congestion: "cubic",
    connections: 100,
    allowSmtp: false,
  },
  book: { homes: [{ name: "farm", number: 7, cn: "home-7-a", added: 0 }], rested: [] },
};
const live: LiveLanes = new Map([
  [
    7,
    [
      { lane: 1, mtu: 1400, window: 0 },
      { lane: 4, mtu: 1300, window: 64 },
    ],
  ],
]);
const wanted = (reserve: boolean) => desiredState(plan, live, 990, 2 ** 30, sendLimit({ reserved: 0, alone: 0 }, reserve));

test("a lane's window is that of the route to the home's end of it, and no other lane has a route there", (t) => {
  const { routes, rules } = wanted(true);
  t.same(
    routes.filter(({ table }) => table === TABLE_LANE_WINDOWS),
    [
      {
        table: TABLE_LANE_WINDOWS,
        destination: "198.19.64.7",
        kind: "unicast",
        nextHops: [{ device: "binder-l4" }],
        initialWindow: 64,
      },
    ],
  );
  t.same(
    rules.filter(({ action }) => action.kind === "lookup" && action.table === TABLE_LANE_WINDOWS),
    [{ preference: 792, to: "198.19.0.0/16", action: { kind: "lookup", table: TABLE_LANE_WINDOWS } }],
    "what it has not goes on to the main table",
  );
});

test("the next daemon finds the lanes by the routes, and their windows when homes speak", (t) => {
  t.same(
    [...lanesRouted(plan, wanted(true).routes)],
    [
      [
        7,
        [
          { lane: 1, mtu: 1400, window: 0 },
          { lane: 4, mtu: 1300, window: 0 },
        ],
      ],
    ],
  );
});

test("what is unsent is limited only where a connection has a reserve", (t) => {
  const unsent = (reserve: boolean) => wanted(reserve).sysctls.find(({ key }) => key === "net/ipv4/tcp_notsent_lowat")?.value;
  t.equal(unsent(true), "65536");
  t.equal(unsent(false), undefined);
});
