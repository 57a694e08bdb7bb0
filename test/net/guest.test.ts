/** A LAN of guests on OpenWrt: its zone refuses what goes to the router, and is forwarded to the lanes alone. */
import { readFileSync } from "node:fs";
import { PORT_CAPTURE } from "../../src/plan/numbers.ts";
import { test } from "../harness/index.ts";
import { projectRoot } from "../testbed/index.ts";
import { lanesUsed } from "./capture.ts";
import { addressesSeen, serveEcho } from "./echo.ts";
import { Household, RELAY, SERVER } from "./household.ts";
import { rateBetween, Timeline } from "./timeline.ts";

const ECHO = 7000;
const RULE = readFileSync(`${projectRoot}/files/usr/share/nftables.d/chain-pre/input/20-binder.nft`, "utf8");

/** The rules that fw4 makes of such a zone and a forwarding to the zone binder, in short; `first` is what is included in its input chain. */
const firewall = (first: string): string => `table inet fw4
flush table inet fw4
table inet fw4 {
  chain input {
    type filter hook input priority filter; policy drop;
    iif "lo" accept
    ${first}
    ct state vmap { established : accept, related : accept }
    iifname { "lan0", "mesh0", "binder-*" } jump refuse
  }
  chain forward {
    type filter hook forward priority filter; policy drop;
    ct state vmap { established : accept, related : accept }
    iifname "lan0" oifname "binder-*" accept
    jump refuse
  }
  chain refuse {
    meta l4proto tcp reject with tcp reset
    reject
  }
}
`;

test(
  "guests are captured though their zone refuses input, and a reload of the firewall breaks nothing",
  { timeout: 120_000 },
  async (t) => {
    const gateways = [
      { rate: 20e6, delay: 10 },
      { rate: 10e6, delay: 20 },
    ];
    const house = await Household.create({ gateways, homeDefault: 1 });
    t.teardown(async () => {
      await house.close();
    });
    await lanesUsed(house, 2);
    const home = house.node("home");
    await serveEcho(house.node("server"), `udp:${String(ECHO)}`);

    await home.must("nft", ["-f", "-"], { input: firewall("") });
    t.not((await house.get(["--seconds", "1"])).end, "time", "without the rule the zone refuses");

    await home.must("nft", ["-f", "-"], { input: firewall(RULE) });
    const timeline = await Timeline.start(house, "get", 4);
    for (let reload = 1; reload <= 4; reload += 1) {
      await timeline.passed(1_000 + reload * 500);
      await home.must("nft", ["-f", "-"], { input: firewall(RULE) });
    }
    const { content, end } = await timeline.result();
    t.equal(`${content} ${end}`, "good time");
    t.ok(rateBetween(timeline.points, 1_500, 3_500) > 22e6, "at the rate of both");
    t.equal(await addressesSeen(house.node("lan1"), SERVER, ECHO, 4), RELAY, "what is not TCP is forwarded to the lanes");

    const direct = await house.flow(["get", "--to", "192.168.1.1", "--port", String(PORT_CAPTURE), "--seconds", "1"]);
    t.not(direct.end, "time", "the proxy's port is not open by itself");
  },
);
