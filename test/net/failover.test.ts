/** What becomes of transfers when gateways fail, but for their rates and stalls: those are measured by failover.serial.test.ts. */
import { parseSubflows, type Subflow } from "../../src/home/subflows.ts";
import { test } from "../harness/index.ts";
import { gateways, inState } from "./failing.ts";
import { Household, until } from "./household.ts";
import { Download } from "./relay.ts";
import { Timeline } from "./timeline.ts";

test("transfers of a household whose gateways fail", { timeout: 300_000 }, async (t) => {
  const house = await Household.create({ gateways });
  t.teardown(async () => {
    await house.close();
  });
  await house.lanesUp(3);
  const gw = (number: number) => house.testbed.link(number);

  await t.test(
    "what has no other lane yet goes on when its gateway begins to lose, and the gateway is left once it has ended",
    async (t) => {
      const home = house.node("home");
      // A first round trip that lasts: no connection is joined by another lane.
      const joinless =
        'table inet joinless { chain out { type filter hook output priority 0; oifname "binder-*" tcp option mptcp subtype 1 drop; }; }';
      await home.must("nft", ["-f", "-"], { input: joinless });
      const lanes = async (): Promise<readonly string[]> =>
        parseSubflows(await home.must("ss", ["-tniH", "state", "established", "dport", "=", ":2130"])).map(({ address }) => address);
      const timelines = [await Timeline.start(house, "get", 4)];
      while (!(await lanes()).some((address) => address.startsWith("198.19.48.")) && timelines.length < 20)
        timelines.push(await Timeline.start(house, "get", 4));
      await gw(3).set({ loss: 0.3 });
      for (const timeline of timelines) {
        const { content, end } = await timeline.result();
        t.equal(`${content} ${end}`, "good time");
      }
      t.match((await inState(house, 3, /^holding/, 3_000)).reason, /loses \d+ %/, "it is left");
      await home.must("nft", ["delete", "table", "inet", "joinless"]);
      await gw(3).set({ loss: 0 });
      await inState(house, 3, /^up/, 8_000);
    },
  );

  await t.test("the gateway of a connection's first subflow dies, and carries it again when it is back", async (t) => {
    const subflows = async (): Promise<readonly Subflow[]> =>
      parseSubflows(await house.node("home").must("ss", ["-tniH", "state", "established", "dport", "=", ":2130"]));
    const timeline = await Timeline.start(house, "get", 60);
    await timeline.passed(2_000);
    const first = (await subflows()).find(({ kind }) => kind === "first");
    const number = Number(first?.address.split(".")[2]) / 16;
    t.ok([1, 2, 3].includes(number), `it is gateway ${String(number)}`);
    await gw(number).cut();
    await house.lanesUp(2, 5_000);
    t.equal((await subflows()).filter(({ address }) => address === first?.address).length, 0, "it is gone");
    await gw(number).mend();
    await house.lanesUp(3, 10_000);
    await until("it has joined", 5_000, async () =>
      (await subflows()).some(({ address, token, kind }) => address === first?.address && token === first.token && kind === "joined")
        ? true
        : undefined,
    );
    const { content, end } = await timeline.enough();
    t.equal(`${content} ${end}`, "good time");
  });

  await t.test("an upload goes on while only one way is dead, either one", async (t) => {
    for (const way of ["up", "down"] as const) {
      const timeline = await Timeline.start(house, "put", 10);
      const from = await timeline.passed(3_000);
      await gw(3).set({ [way]: { block: true } });
      await timeline.passed(from + 3_000);
      await gw(3).set({ [way]: { block: false } });
      const { content, end } = await timeline.result();
      t.equal(`${content} ${end}`, "good time", way);
      await house.lanesUp(3, 20_000);
    }
  });

  await t.test("one that answers a second later is left out while it does", async (t) => {
    const timeline = await Timeline.start(house, "get", 60);
    await timeline.passed(3_000);
    await gw(3).set({ delay: 505 });
    await inState(house, 3, /holding it answers \d+ ms later/);
    await timeline.passed(timeline.now + 2_000);
    t.match((await inState(house, 3, /./)).state, "holding", "and stays so");
    await gw(3).set({ delay: 5 });
    await inState(house, 3, /^up/, 8_000);
    t.equal((await timeline.enough()).content, "good");
  });

  await t.test("one that comes back behind another address is used again without help", async (t) => {
    const router = house.node("gw3");
    const inet = house.node("inet");
    const mac = (await router.read("/sys/class/net/up0/address")).trim();
    const download = await Download.begin(house, "lan1", 60);
    await gw(3).cut();
    await inet.ip(["route add 45.0.253.2/32 dev gw3", `neigh replace 45.0.253.2 lladdr ${mac} dev gw3`]);
    await router.ip(["address add 45.0.253.2/32 dev up0"]);
    const moved = "table ip moved { chain out { type nat hook postrouting priority 90; oifname up0 snat to 45.0.253.2; }; }";
    await router.must("nft", ["-f", "-"], { input: moved });
    await router.must("conntrack", ["-F"]);
    await house.lanesUp(2, 10_000);
    await gw(3).mend();
    await house.lanesUp(3, 20_000);
    const { content, end } = await download.enough();
    t.equal(`${content} ${end}`, "good time");
    const { stdout } = await router.run("conntrack", ["-L", "-p", "udp"]);
    t.match(stdout, /dst=45\.0\.253\.2/, "its lane has the new address");
  });
});
