import { test } from "../harness/index.ts";
import type { TestNode } from "../testbed/index.ts";
import { BINDER, Household, until } from "./household.ts";

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

test("a home that its relay has shut out says so, and whom to ask", { timeout: 60_000 }, async (t) => {
  const house = await Household.create({ gateways });
  t.teardown(async () => {
    await house.close();
  });
  await house.lanesUp(2);
  await house.node("relay").must(BINDER, ["relay", "remove-home", "farm"]);
  const status = await until("every gateway tells of the refusal", 40_000, async () => {
    const seen = await house.status();
    return seen.gateways.every(({ reason }) => reason.includes("refuses this home")) ? seen : undefined;
  });
  for (const gateway of status.gateways) t.match(gateway, { state: "down", advice: /new invite/ });
});
