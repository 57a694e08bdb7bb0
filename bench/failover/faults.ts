import { BINDER, type Household } from "../../test/net/household.ts";

/** One way that gateways fail, as the evaluation does it to a household. */
export interface Fault {
  readonly id: string;
  /** For the report. */
  readonly what: string;
  readonly setup: "failover" | "failover-far";
  /** The stall that is promised (ms, 95th percentile), and the time until the rate is full again after the repair (ms). */
  readonly stall: number;
  /** And so many of its loaded round trips; absent: none. */
  readonly roundTrips?: number;
  readonly back: number;
  /** How long the fault lasts, and how long the transfer goes on after the repair (ms). */
  readonly lasts: number;
  readonly after: number;
  readonly begin: (house: Household) => Promise<void>;
  readonly repair: (house: Household) => Promise<void>;
}

/** The number of the gateway that fails. */
export const FASTEST = 4;
const GATEWAY = `gw${String(FASTEST)}`;
const fastest = (house: Household) => house.testbed.link(FASTEST);
const faster = [1, 2, FASTEST];

const cut = {
  begin: async (house: Household) => await fastest(house).cut(),
  repair: async (house: Household) => await fastest(house).mend(),
};

const interfaceDown = {
  begin: async (house: Household) => await house.node("home").ip([`link set wan${String(FASTEST)} down`]),
  repair: async (house: Household) => await house.node("home").ip([`link set wan${String(FASTEST)} up`]),
};

/** The gateway's NAT gives known flows another port from now on. */
async function forgetNat(house: Household): Promise<void> {
  const router = house.node(GATEWAY);
  const table = "table ip anew { chain out { type nat hook postrouting priority 90; oifname up0 meta l4proto udp masquerade random; }; }";
  await router.run("nft", ["delete", "table", "ip", "anew"]);
  await router.must("nft", ["-f", "-"], { input: table });
  await router.must("conntrack", ["-F"]);
}

/** Without power: nothing passes, and what it knew is gone. */
async function powerOff(house: Household): Promise<void> {
  const router = house.node(GATEWAY);
  await router.ip(["link set up0 down", "link set home0 down"]);
  await forgetNat(house);
}

async function powerOn(house: Household): Promise<void> {
  await house.node(GATEWAY).ip(["link set home0 up", "link set up0 up", "route replace default via 45.0.4.1"]);
}

const off = "table ip off { chain f { type filter hook forward priority 0; drop; }; }";

const usual = { setup: "failover", lasts: 3_000, after: 3_000 } as const;

/** Of every promise one, or two. */
export const faults: readonly Fault[] = [
  { ...usual, ...cut, id: "cut", what: "the fastest gateway drops everything silently", stall: 300, back: 1_000 },
  {
    ...usual,
    ...cut,
    id: "cut-far",
    what: "the same, 120 ms of round trip",
    setup: "failover-far",
    stall: 200,
    roundTrips: 1.5,
    back: 1_000,
  },
  { ...usual, ...interfaceDown, id: "interface", what: "its interface goes down", stall: 100, back: 1_000 },
  { ...usual, id: "reset", what: "it loses its power, and its NAT", stall: 500, back: 1_000, begin: powerOff, repair: powerOn },
  {
    ...usual,
    id: "nat",
    what: "it forgets its NAT",
    stall: 500,
    back: 1_000,
    begin: forgetNat,
    repair: async () => await Promise.resolve(),
  },
  {
    ...usual,
    id: "no-internet",
    what: "it answers pings and has no Internet",
    stall: 300,
    back: 1_000,
    begin: async (house) => {
      await house.node(GATEWAY).must("nft", ["-f", "-"], { input: off });
    },
    repair: async (house) => {
      await house.node(GATEWAY).must("nft", ["delete", "table", "ip", "off"]);
    },
  },
  {
    ...usual,
    id: "slowest-left",
    what: "all but the slowest are gone",
    stall: 500,
    back: 2_000,
    after: 4_000,
    begin: async (house) => {
      await Promise.all(faster.map(async (number) => await house.testbed.link(number).cut()));
    },
    repair: async (house) => {
      await Promise.all(faster.map(async (number) => await house.testbed.link(number).mend()));
    },
  },
  {
    ...usual,
    id: "loss",
    what: "it begins to lose 30 %",
    stall: Number.POSITIVE_INFINITY,
    back: 5_000,
    lasts: 5_000,
    after: 6_500,
    begin: async (house) => await fastest(house).set({ loss: 0.3 }),
    repair: async (house) => await fastest(house).set({ loss: 0 }),
  },
  {
    ...usual,
    id: "daemon",
    what: "the daemon is killed, and started again",
    stall: 0,
    back: 0,
    begin: async (house) => {
      house.homeDaemon.kill("SIGKILL");
      await house.homeDaemon.exit;
    },
    repair: async (house) => {
      restart(house);
      await Promise.resolve();
    },
  },
];

/** The same without a daemon that looks after anything: what the kernel makes of it. */
export const leftAlone: readonly Fault[] = faults
  .filter(({ id }) => id === "cut" || id === "interface")
  .map((fault) => ({ ...fault, id: `kernel-${fault.id}`, what: `${fault.what}: the kernel left to itself`, after: 12_000 }));

export function restart(house: Household): void {
  house.homeDaemon = house.node("home").start(BINDER, ["run"]);
}
