import { test } from "../harness/index.ts";
import { Healing } from "../../src/home/healing.ts";
import { parseConnections, parseSubflows, type Subflow } from "../../src/home/subflows.ts";

const recorded = `0      0      198.19.32.2%binder-2:43368 198.19.0.1:2130 
	 bbr wscale:10,10 rto:264 rtt:61.5/30.7 mss:1348 tcp-ulp-mptcp flags:Jjecv token:502b2af3(id:0)/86012731(id:46) seq:ab80d4106c400993 sfseq:6effe9 ssnoff:bfc38694 maplen:fca8  
0      0               198.19.64.2:50512 198.19.0.1:2130 
	 bbr wscale:10,10 rto:212 rtt:11.0/3.2 tcp-ulp-mptcp flags:Mmecv token:0000(id:0)/86012731(id:0) seq:ab80d4106c370c63 sfseq:1cf73f2 ssnoff:a9c3258a maplen:fca8 
0      0               198.19.16.2:50514 198.19.0.1:2130 
	 cubic wscale:10,10 rto:212 rtt:11.0/3.2 tcp-ulp-mptcp flags:m token:0000(id:0)/0000(id:0) seq:0 sfseq:0 ssnoff:0 maplen:0 
0      0               198.19.48.2:50516 198.19.0.1:2130 
	 cubic wscale:10,10 rto:212 rtt:11.0/3.2
`;

test("subflows as ss lists them", async (t) => {
  t.same(parseSubflows(recorded), [
    { address: "198.19.32.2", port: 43368, kind: "joined", token: "86012731" },
    { address: "198.19.64.2", port: 50512, kind: "first", token: "86012731" },
    { address: "198.19.16.2", port: 50514, kind: "plain", token: "" },
    { address: "198.19.48.2", port: 50516, kind: "plain", token: "" },
  ]);
  t.same(parseSubflows(""), []);
  await Promise.resolve();
});

test("connections as ss lists them", async (t) => {
  const text = `ESTAB 290304 0      198.19.64.2:50512 198.19.0.1:2130
\t subflows:3 subflows_max:8 remote_key token:86012731 write_seq:8a72ed03d04678a3 snd_una:8a72ed03d04678a3 rcv_nxt:ab80d4106c35a4ab
ESTAB 0 0      198.19.16.2:44936 198.19.0.1:2130
\t subflows_max:8 remote_key token:1f2731 write_seq:8a72ed03d04678a3 snd_una:8a72ed03d04678a3 rcv_nxt:ab80d4106c35a4ab
0      0      198.19.48.2:44938 198.19.0.1:2130
\t subflows_max:8 fallback token:2f2731 write_seq:8a72ed03d04678a3 snd_una:8a72ed03d04678a3 rcv_nxt:ab80d4106c35a4ab
`;
  t.same(parseConnections(text), [
    { token: "86012731", source: "198.19.64.2:50512" },
    { token: "1f2731", source: "198.19.16.2:44936" },
  ]);
  await Promise.resolve();
});

/** Of one connection: the first address is that of its first subflow. */
const flows = (token: string, ...addresses: readonly string[]): readonly Subflow[] =>
  addresses.map((address, index) => ({ address, port: 1_000 + token.charCodeAt(0), kind: index === 0 ? "first" : "joined", token }));
const plain = (address: string, port: number): Subflow => ({ address, port, kind: "plain", token: "" });

test("healing", async (t) => {
  await t.test("a connection that has all lanes needs nothing", async (t) => {
    const healing = new Healing();
    for (let now = 0; now < 60_000; now += 5_000) t.equal(healing.look(now, flows("a", "l1", "l2"), ["l1", "l2"]), undefined);
    await Promise.resolve();
  });
  await t.test("a lane that one lost is healed at the next look but one, and then the kernel is given time", async (t) => {
    const healing = new Healing();
    const [before, after] = [flows("a", "l1", "l2"), [...flows("a", "l1"), ...flows("b", "l1", "l2")]];
    t.equal(healing.look(0, before, ["l1", "l2"]), undefined);
    t.equal(healing.look(5_000, after, ["l1", "l2"]), undefined);
    t.equal(healing.look(10_000, after, ["l1", "l2"]), "l2");
    healing.renewed("l2");
    for (const now of [15_000, 20_000, 25_000]) t.equal(healing.look(now, flows("a", "l1"), ["l1", "l2"]), undefined);
    t.equal(healing.look(30_000, flows("a", "l1"), ["l1", "l2"]), "l2");
    await Promise.resolve();
  });
  await t.test("a lane that one never had is healed when the kernel has asked several times", async (t) => {
    const healing = new Healing();
    for (const now of [0, 5_000, 10_000]) t.equal(healing.look(now, flows("a", "l1"), ["l1", "l2"]), undefined);
    t.equal(healing.look(15_000, flows("a", "l1"), ["l1", "l2"]), "l2");
    await Promise.resolve();
  });
  await t.test("while more use a lane than lack it, they are left alone for a minute", async (t) => {
    const healing = new Healing();
    const all = [...flows("a", "l1", "l3"), ...flows("b", "l1", "l2"), ...flows("c", "l1", "l2")];
    for (let now = 0; now < 60_000; now += 5_000) t.equal(healing.look(now, all, ["l1", "l2"]), undefined);
    t.equal(healing.look(60_000, all, ["l1", "l2"]), "l2");
    await Promise.resolve();
  });
  await t.test("a lane that some connection has alone is not taken from it", async (t) => {
    const healing = new Healing();
    const all = [...flows("a", "l1", "l3"), ...flows("b", "l2")];
    for (let now = 0; now < 120_000; now += 5_000) t.not(healing.look(now, all, ["l2", "l1", "l3"]), "l2");
    await Promise.resolve();
  });
  await t.test("those without a subflow are given one by a lane that nobody depends on, or fewer than are helped", async (t) => {
    const healing = new Healing();
    t.equal(healing.helper(1, [...flows("a", "l1"), ...flows("b", "l1", "l2")], ["l1", "l2"]), "l2");
    t.equal(healing.helper(1, flows("b", "l1", "l2"), ["l2", "l1"]), "l2", "which is disturbed best");
    t.equal(healing.helper(1, flows("a", "l1"), ["l1"]), undefined);
    t.equal(healing.helper(2, flows("a", "l1"), ["l1"]), "l1");
    t.equal(healing.helper(0, [], ["l1"]), undefined, "nobody needs it");
    await Promise.resolve();
  });
  await t.test("a connection without a subflow is found, once, and lost if none has joined after a while", async (t) => {
    const healing = new Healing();
    const connection = (token: string) => ({ token, source: `198.19.16.2:${token}` });
    const [a, b, c] = [connection("a"), connection("b"), connection("c")];
    t.same(healing.orphans(0, [a, b], flows("a", "l1")), { found: [b], lost: [] });
    t.same(healing.orphans(1_000, [a, b, c], flows("a", "l1")), { found: [c], lost: [] });
    t.same(healing.orphans(2_500, [a, b, c], [...flows("a", "l1"), ...flows("c", "l2")]), { found: [], lost: [b] });
    t.same(healing.orphans(3_000, [{ token: "x", source: "l1:7" }], [plain("l1", 7)]), { found: [], lost: [] }, "it is plain TCP now");
    t.same(healing.orphans(4_000, [a, c], flows("a", "l1")), { found: [c], lost: [] }, "again, when it had one meanwhile");
    await Promise.resolve();
  });
  await t.test("one lane at a time, the one that is best disturbed first", async (t) => {
    const healing = new Healing();
    healing.look(0, flows("a", "l1"), ["l3", "l2", "l1"]);
    t.equal(healing.look(15_000, flows("a", "l1"), ["l3", "l2", "l1"]), "l3");
    t.equal(healing.look(20_000, flows("a", "l1", "l3"), ["l3", "l2", "l1"]), "l2");
    await Promise.resolve();
  });
  await t.test("connections that come and go are no reason", async (t) => {
    const healing = new Healing();
    for (let now = 0; now < 60_000; now += 5_000) t.equal(healing.look(now, flows(`at${String(now)}`, "l1"), ["l1", "l2"]), undefined);
    await Promise.resolve();
  });
  await t.test("a lane that does not carry is no reason", async (t) => {
    const healing = new Healing();
    for (let now = 0; now < 60_000; now += 5_000) t.equal(healing.look(now, flows("a", "l1"), ["l1"]), undefined);
    await Promise.resolve();
  });
  await t.test("when it does not help it is tried ever more seldom, and told", async (t) => {
    const healing = new Healing();
    const healed: number[] = [];
    for (let now = 0; now < 3_600_000; now += 5_000) {
      if (healing.look(now, flows("a", "l1"), ["l1", "l2"]) !== undefined) {
        healed.push(now);
        healing.renewed("l2");
      }
    }
    t.ok(healed.length >= 6 && healed.length <= 14, String(healed));
    t.match(healing.complaint(3_600_000, "l2"), /can't be joined/);
    t.equal(healing.complaint(3_600_000, "l1"), "");
    healing.look(3_600_000, flows("a", "l1", "l2"), ["l1", "l2"]);
    t.equal(healing.complaint(3_600_000, "l2"), "");
    await Promise.resolve();
  });
  await t.test("plain TCP is told, for ten minutes, or until a connection begins there as MPTCP", async (t) => {
    const healing = new Healing();
    t.equal(healing.look(0, [plain("l1", 1), plain("l3", 2)], ["l1", "l2", "l3"]), undefined);
    t.match(healing.complaint(1_000, "l1"), /plain TCP/);
    t.equal(healing.complaint(1_000, "l2"), "");
    healing.look(5_000, [plain("l1", 1), plain("l3", 2), ...flows("a", "l1")], ["l1", "l2", "l3"]);
    healing.look(10_000, [plain("l1", 1), plain("l3", 2), ...flows("a", "l1")], ["l1", "l2", "l3"]);
    t.equal(healing.complaint(10_000, "l1"), "", "the old one that goes on says nothing new");
    t.match(healing.complaint(10_000, "l3"), /plain TCP/);
    t.equal(healing.complaint(700_000, "l3"), "");
    await Promise.resolve();
  });
});
