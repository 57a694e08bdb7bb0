import { type NetworkStates, watchNetworks } from "../../src/netifd/watch.ts";
import type { Publication, UbusInputTable } from "../../src/ubus-client/index.ts";
import { type Test, test } from "../harness/index.ts";
import { clientOf, Daemon, until } from "../ubus-client/daemon.ts";
import { defaultBy, down, up } from "./dump.ts";

const stay = new AbortController().signal;

const wan = (address: string, hop = "192.0.2.1"): UbusInputTable =>
  up("wan", { device: "eth1", address: [address, 24], routes: [defaultBy(hop)] });

/** netifd's object for all networks, and what it says when one changes. */
class Netifd {
  readonly object: Publication;
  asked = 0;
  #networks: readonly UbusInputTable[];

  constructor(t: Test, daemon: Daemon, networks: readonly UbusInputTable[]) {
    this.#networks = networks;
    const dump = (): UbusInputTable => {
      this.asked += 1;
      return { interface: this.#networks };
    };
    this.object = clientOf(t, daemon).publish("network.interface", { dump: { arguments: {}, call: dump } });
  }

  set(networks: readonly UbusInputTable[], changed: string): void {
    this.#networks = networks;
    const found = networks.find(({ interface: name }) => name === changed) ?? { interface: changed };
    this.object.notify(found["up"] === true ? "interface.update" : "interface.down", found);
  }
}

/** Gathers what the watch yields. */
function gather(t: Test, daemon: Daemon, names: readonly string[]): { readonly seen: NetworkStates[]; readonly end: () => Promise<void> } {
  const seen: NetworkStates[] = [];
  const stop = new AbortController();
  const ran = (async () => {
    for await (const states of watchNetworks(clientOf(t, daemon), names, stop.signal)) seen.push(states);
  })();
  const end = async (): Promise<void> => {
    stop.abort();
    await ran;
  };
  t.teardown(end);
  return { seen, end };
}

const UP = { kind: "up", device: "eth1", nextHop: "192.0.2.1", addresses: ["192.0.2.7/24"], resolvers: [] };

test("a network's state, and each change of it", async (t) => {
  const daemon = new Daemon(t);
  await daemon.start();
  const netifd = new Netifd(t, daemon, [wan("192.0.2.7")]);
  await netifd.object.ready(stay);
  const { seen, end } = gather(t, daemon, ["wan", "wan2"]);
  const latest = (): unknown => seen.at(-1)?.get("wan");
  await until(() => seen.length === 1 && netifd.object.hasSubscribers);
  t.same(
    seen[0],
    new Map<string, unknown>([
      ["wan", UP],
      ["wan2", { kind: "absent" }],
    ]),
  );

  netifd.set([down("wan")], "wan");
  await until(() => seen.length === 2);
  t.strictSame(latest(), { kind: "down", reason: "" });
  netifd.set([wan("192.0.2.8", "192.0.2.254")], "wan");
  await until(() => seen.length === 3);
  t.strictSame(latest(), { ...UP, nextHop: "192.0.2.254", addresses: ["192.0.2.8/24"] });

  const asked = netifd.asked;
  netifd.set([wan("192.0.2.8", "192.0.2.254"), up("lan", { device: "br-lan" })], "lan");
  netifd.set([wan("192.0.2.8", "192.0.2.254"), up("lan", { device: "br-lan" })], "wan");
  await until(() => netifd.asked > asked);
  t.equal(netifd.asked, asked + 1, "another network's changes are not looked at");
  t.equal(seen.length, 3, "what is the same is not told");
  await end();
  await until(() => !netifd.object.hasSubscribers);
});

test("a modem's second network counts too", async (t) => {
  const daemon = new Daemon(t);
  await daemon.start();
  const modem = up("wan", { device: "wwan0", proto: "qmi" });
  const netifd = new Netifd(t, daemon, [modem]);
  const { seen } = gather(t, daemon, ["wan"]);
  await until(() => seen.length === 1 && netifd.object.hasSubscribers);
  netifd.set([modem, up("wan_4", { device: "wwan0", address: ["10.64.3.2", 30], routes: [defaultBy("10.64.3.1")] })], "wan_4");
  await until(() => seen.length === 2);
  t.match(seen[1]?.get("wan"), { nextHop: "10.64.3.1", addresses: ["10.64.3.2/30"] });
});

test("netifd that comes late, dies and comes back; ubusd that restarts", async (t) => {
  const daemon = new Daemon(t);
  const { seen } = gather(t, daemon, ["wan"]);
  await daemon.start();
  const first = new Netifd(t, daemon, [wan("192.0.2.7")]);
  await until(() => seen.length === 1 && first.object.hasSubscribers);
  first.object.close();
  await until(() => !first.object.isPublished);
  const second = new Netifd(t, daemon, [wan("192.0.2.8")]);
  await until(() => seen.length === 2);
  await until(() => second.object.hasSubscribers);
  await daemon.stop();
  await until(() => !second.object.isPublished);
  // While ubusd is away: what changed then is seen after.
  second.set([down("wan")], "wan");
  t.equal(seen.length, 2, "their absence is no change");
  await daemon.start();
  await until(() => seen.length === 3);
  t.same(
    seen.map((states) => states.get("wan")?.kind),
    ["up", "up", "down"],
  );
});
