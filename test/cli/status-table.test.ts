import { formatDuration, formatRate, renderHome, renderRelay } from "../../src/cli/status-table.ts";
import type { GatewayStatus, HomeStatus } from "../../src/control/types.ts";
import { test } from "../harness/index.ts";

const gateway = (name: string, changes: Partial<GatewayStatus> = {}): GatewayStatus => ({
  name,
  number: 1,
  state: "up",
  since: 7_200,
  reason: "",
  delay_ms: 24.2,
  loss: 0,
  down_bps: 19_400_000,
  up_bps: 429_000,
  advice: "",
  ...changes,
});

const home = (changes: Partial<HomeStatus>): HomeStatus => ({
  role: "home",
  version: "1",
  transport: "proxy",
  relay: { name: "coop", state: "up" },
  gateways: [],
  warnings: [],
  ...changes,
});

test("a household where all is well sees one line and its gateways", (t) => {
  const text = renderHome(home({ gateways: [gateway("school"), gateway("fibre", { delay_ms: 4.55, loss: 0.016, down_bps: 3_250_000 })] }));
  const rows = [
    "Joined: 2 of 2 gateways carry the household's traffic to relay coop.",
    "",
    "GATEWAY  STATE  SINCE  DELAY   LOSS   DOWN        UP",
    "school   up     2 h    24 ms   0 %    19 Mbit/s   429 kbit/s",
    "fibre    up     2 h    4.5 ms  1.6 %  3.3 Mbit/s  429 kbit/s",
    "",
  ];
  t.equal(text, rows.join("\n"));
});

test("a gateway that is down: no old figures, what is wrong, what to do", (t) => {
  const down = gateway("school", { state: "down", since: 200, reason: "the relay does not answer", advice: "is it online?", down_bps: 5 });
  const text = renderHome(
    home({ gateways: [down, gateway("fibre"), gateway("spare", { state: "disabled", reason: "disabled in the configuration" })] }),
  );
  t.match(text, /^Joined: 1 of 2 gateways/, "a disabled one does not count");
  t.match(text, /^school +down +3 min +- +- +- +-$/m);
  t.match(text, /^school: the relay does not answer\n {2}-> is it online\?$/m);
  t.match(text, /^spare +disabled +- +- +- +- +-$/m);
  t.notMatch(text, /^spare:/m);
});

test("one gateway is one gateway", (t) => {
  t.match(renderHome(home({ gateways: [gateway("fibre")] })), /^Joined: 1 of 1 gateway carries the/);
});

test("no relay joined, a relay being reached, a relay that can't be reached", (t) => {
  const starting = (since: number): GatewayStatus => gateway("fibre", { state: "starting", since, delay_ms: null, reason: "connecting" });
  const none = home({
    transport: "off",
    relay: { name: "", state: "none" },
    gateways: [starting(3)],
    warnings: ["no relay is configured"],
  });
  t.match(renderHome(none), /^No relay is joined: .*\n\n[^!]*\n\n! no relay is configured\n$/);
  t.notMatch(renderHome(none), /^fibre:/m, "said once");
  const off = (since: number): string =>
    renderHome(home({ transport: "off", relay: { name: "coop", state: "down" }, gateways: [starting(since)] }));
  t.match(off(3), /^Relay coop is being reached: wait/);
  t.match(off(300), /^Relay coop can't be reached by any gateway/);
  t.match(off(300), /^fibre: connecting$/m);
  t.match(renderHome(home({ transport: "direct" })), /^No relay answers/);
});

test("a relay's keeper sees the homes", (t) => {
  t.equal(
    renderRelay({ role: "relay", version: "1", homes: [], warnings: [] }),
    "No homes yet: binder relay add-home NAME prints an invite.\n",
  );
  const homes = [
    { name: "farm", number: 2, lanes: [1, 3], last_seen: 4 },
    { name: "mill", number: 3, lanes: [], last_seen: null },
  ];
  t.equal(
    renderRelay({ role: "relay", version: "1", homes, warnings: ["beware"] }),
    "HOME  NUMBER  LANES  SEEN\nfarm  2       1 3    4 s ago\nmill  3       -      never\n\n! beware\n",
  );
});

test("durations and rates as a person says them", (t) => {
  t.strictSame([0, 119, 120, 7_199, 7_200, 172_799, 172_800].map(formatDuration), [
    "0 s",
    "119 s",
    "2 min",
    "120 min",
    "2 h",
    "48 h",
    "2 d",
  ]);
  t.strictSame([0, 999_499, 1e6, 9.94e6, 10e6, 1e9].map(formatRate), [
    "0 kbit/s",
    "999 kbit/s",
    "1.0 Mbit/s",
    "9.9 Mbit/s",
    "10 Mbit/s",
    "1000 Mbit/s",
  ]);
});
