import { test } from "../harness/index.ts";
import type { TestNode } from "../testbed/index.ts";
import { reconfigure } from "./capture.ts";
import { addressesSeen, ask, serveEcho } from "./echo.ts";
import { BINDER, Household, SERVER, until } from "./household.ts";

const gateways = [
  { rate: 20e6, delay: 5 },
  { rate: 10e6, delay: 10 },
];

/** Puts something in the program's place that can't be run; answers how to put it back. */
async function hide(node: TestNode, program: string): Promise<() => Promise<void>> {
  const path = (await node.must("which", [program])).trim();
  await node.must("mount", ["--bind", "/dev/null", path]);
  return async () => {
    await node.must("umount", [path]);
  };
}

test(
  "a home without HAProxy still carries its household, says what is missing, and joins when it is installed",
  { timeout: 60_000 },
  async (t) => {
    let install = async (): Promise<void> => await Promise.reject(new Error("nothing is hidden"));
    const house = await Household.create(
      { gateways },
      {
        beforeBinder: async (testbed) => {
          install = await hide(testbed.node("home"), "haproxy");
        },
      },
    );
    t.teardown(async () => {
      await house.close();
    });
    const before = await house.lanesUp(2);
    t.match(before.warnings.join("\n"), /haproxy is not installed.*one gateway alone/);
    const alone = await house.get(["--bytes", "1000000"]);
    t.match(alone, { content: "good", end: "complete", bytes: 1_000_000 });
    t.match(alone.peer, /^45\.0\.100\.2:/, "by the relay");

    await install();
    await until("HAProxy is found and captures", 30_000, async () => ((await house.status()).warnings.length === 0 ? true : undefined));
    const joined = await until("a download over both", 20_000, async () => {
      const flow = await house.get(["--seconds", "2"]);
      return flow.bps > 21e6 ? flow : undefined;
    });
    t.equal(joined.content, "good");
  },
);

test("a home without OpenVPN says so, and its doctor tells what to install", { timeout: 60_000 }, async (t) => {
  const house = await Household.create(
    { gateways },
    {
      beforeBinder: async (testbed) => {
        await hide(testbed.node("home"), "openvpn");
      },
    },
  );
  t.teardown(async () => {
    await house.close();
  });
  const home = house.node("home");
  const status = await until("the daemon has looked", 10_000, async () => {
    const { status: code, stdout } = await home.run(BINDER, ["status"]);
    return code === 0 && stdout.includes("!") ? stdout : undefined;
  });
  t.match(status, /! openvpn is not installed/);
  const doctor = await home.run(BINDER, ["doctor"]);
  t.equal(doctor.status, 1);
  t.match(doctor.stdout, /ERROR +openvpn +not installed/);
  t.match(doctor.stdout, /To install what is missing: .*openvpn/);
});

/** The strictest that a distribution sets: a packet must come in where an answer to it would go out (RFC 3704). */
async function filterStrictly(home: TestNode): Promise<void> {
  const devices = ["all", "default", "lan0", "wan1", "mesh0"];
  await home.sysctl(Object.fromEntries(devices.map((device) => [`net.ipv4.conf.${device}.rp_filter`, 1])));
}

test("a home with strict reverse-path filters", { timeout: 90_000 }, async (t) => {
  const house = await Household.create(
    { gateways: [{ rate: 20e6, delay: 5, attach: "wan" }, ...gateways.slice(1)] },
    { beforeBinder: async (testbed) => await filterStrictly(testbed.node("home")) },
  );
  t.teardown(async () => {
    await house.close();
  });
  const home = house.node("home");

  await t.test("its lanes come up, and carry TCP over both, and UDP and pings by either", async (t) => {
    const { warnings } = await house.lanesUp(2);
    t.same(warnings, []);
    const filters = async (): Promise<readonly string[]> =>
      await Promise.all(
        ["all", "lan0", "wan1", "mesh0"].map(async (device) => (await home.read(`/proc/sys/net/ipv4/conf/${device}/rp_filter`)).trim()),
      );
    t.same(await filters(), ["1", "1", "2", "2"], "the gateways' devices alone are less strict");
    const flow = await house.get(["--seconds", "3"]);
    t.match(flow, { content: "good", end: "time" });
    t.ok(flow.bps > 21e6, `${(flow.bps / 1e6).toFixed(1)} Mbit/s: over both`);
    // Each flow goes by a lane of its own, and its answers come back by that one, wherever the main table would send them.
    await serveEcho(house.node("server"), "udp:7000");
    t.equal((await ask(house.node("lan1"), SERVER, 7000, 24)).length, 24, "24 flows of UDP are answered");
    for (const other of [2, 1]) {
      await house.testbed.link(other).cut();
      await until(`gateway ${String(other)} is down`, 20_000, async () => {
        const { gateways: seen } = await house.status();
        return seen.some(({ number, state }) => number === other && state === "down") ? true : undefined;
      });
      const ping = await until(`a ping without gateway ${String(other)}`, 10_000, async () => {
        const { status } = await house.node("lan1").run("ping", ["-n", "-c", "1", "-W", "1", SERVER]);
        return status === 0 ? "answered" : undefined;
      });
      t.equal(ping, "answered", `without gateway ${String(other)}`);
      await house.testbed.link(other).mend();
      await house.lanesUp(2);
    }
  });

  await t.test("a bypass by the gateway that the main table does not route by is answered", async (t) => {
    const config = await home.read("/etc/config/binder");
    for (const gateway of [1, 2]) {
      await reconfigure(house, config, `config bypass 'echo'\n\toption port '7000'\n\toption gateway 'gw${String(gateway)}'\n`);
      t.equal(await addressesSeen(house.node("lan1"), SERVER, 7000, 3), `45.0.${String(gateway)}.2`, `by gateway ${String(gateway)}`);
    }
    await reconfigure(house, config, "");
  });

  await t.test("shut out by its relay, it says so, and whom to ask", async (t) => {
    await house.node("relay").must(BINDER, ["relay", "remove-home", "farm"]);
    const status = await until("every gateway tells of the refusal", 40_000, async () => {
      const seen = await house.status();
      return seen.gateways.every(({ reason }) => reason.includes("refuses this home")) ? seen : undefined;
    });
    for (const gateway of status.gateways) t.match(gateway, { state: "down", advice: /new invite/ });
    const told = await home.must(BINDER, ["status"]);
    for (const name of ["gw1", "gw2"]) t.match(told, new RegExp(`^${name}: .*refuses this home.*\n +-> .*new invite`, "m"));
  });
});
