import { test } from "../harness/index.ts";
import { projectRoot } from "../testbed/index.ts";
import { BINDER, Household } from "./household.ts";
import { nothingLeft, relayRuns } from "./relay.ts";

test("a relay that stops leaves the machine as it was; init finishes the configuration that is shipped", { timeout: 60_000 }, async (t) => {
  const house = await Household.create({ gateways: [{ delay: 2 }] });
  t.teardown(async () => {
    await house.close();
  });
  const relay = house.node("relay");
  await relay.must(BINDER, ["stop"]);
  const sysctls = async (): Promise<string> =>
    (await relay.must("sysctl", ["-a", "--pattern", "^net\\."]))
      .split("\n")
      .filter((line) => !line.startsWith("net.netfilter.nf_conntrack_count "))
      .join("\n");
  const before = await sysctls();
  house.relayDaemon = relay.start(BINDER, ["relay", "run"]);
  await relayRuns(relay);
  t.not(await sysctls(), before, "a relay that runs has changed some");
  await relay.must(BINDER, ["stop"]);
  await nothingLeft(t, relay);
  t.equal(await sysctls(), before, "a relay that stopped has put them back");

  await relay.must("sh", ["-c", "rm -rf /etc/binder /etc/config/binder-relay; cp files/etc/config/binder-relay /etc/config/"], {
    directory: projectRoot,
  });
  const said = await relay.must(BINDER, ["relay", "init"]);
  t.match(said, /45\.0\.100\.2/, "init says which address homes will use");
  const invite = await relay.must(BINDER, ["relay", "add-home", "farm"]);
  t.match(invite, /^binder:\/\/v1\//, "and an invite can be made");
  const text = await relay.read("/etc/config/binder-relay");
  t.match(text, /^\tlist address '45\.0\.100\.2'$/m, "it is in the file");
  t.match(text, /# TCP congestion control/, "whose comments are kept");
});
