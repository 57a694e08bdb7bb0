import type { TestNode } from "../test/testbed/index.ts";

/**
 * Makes a plain home balance its LAN's connections over the gateways, one connection to one gateway, as mwan3 does: a connection mark
 * chosen evenly at random, a rule and a table for each.
 */
export async function balancePerFlow(home: TestNode, gateways: number): Promise<void> {
  const numbers = Array.from({ length: gateways }, (_, index) => index + 1);
  const marks = numbers.map((number) => `${String(number - 1)} : ${String(number)}`).join(", ");
  const table = `table ip per-flow {
    chain choose {
      type filter hook prerouting priority mangle;
      iifname "lan0" ct state new ct mark set numgen random mod ${String(gateways)} map { ${marks} }
      iifname "lan0" meta mark set ct mark
    }
    chain out {
      type nat hook postrouting priority srcnat;
      ip saddr 192.168.1.0/24 oifname "mesh0" masquerade
    }
  }`;
  await home.must("nft", ["-f", "-"], { input: table });
  await home.ip(
    numbers.flatMap((number) => [
      `rule add pref ${String(1000 + number)} fwmark ${String(number)} lookup ${String(100 + number)}`,
      `route add default via 10.77.0.${String(100 + number)} dev mesh0 table ${String(100 + number)}`,
    ]),
  );
  // A connection of the LAN is only forwarded if the home has some way to answer it.
  await home.ip([`route replace default via 10.77.0.101 dev mesh0 proto static metric 100`]);
}
