import { setTimeout as sleep } from "node:timers/promises";
import { Household } from "../test/net/household.ts";
import type { TestNode } from "../test/testbed/index.ts";
import type { Sample } from "./cell.ts";
import { processorSeconds } from "./processor.ts";

const LANES = 8;
/** Seconds. */
const SETTLE = 20;
const IDLE = 300;

/** The daemon's own processor time at home with eight idle lanes over five minutes, percent of a core; and what `ip monitor` heard meanwhile. */
export async function idleDaemon(): Promise<Sample> {
  const house = await Household.create({ gateways: Array.from({ length: LANES }, () => ({ rate: 10e6, delay: 20 })) });
  try {
    await house.lanesUp(LANES);
    await sleep(SETTLE * 1000);
    const home = house.node("home");
    const monitor = home.start("ip", ["monitor", "link", "address", "route", "rule"]);
    const before = await daemonSeconds(home);
    await sleep(IDLE * 1000);
    const used = (await daemonSeconds(home)) - before;
    const changes = monitor.lines.length;
    await monitor.end();
    const memory = /VmRSS:\s+([0-9]+) kB/.exec(await home.must("sh", ["-c", "cat /proc/$(pgrep -f 'binder run' | head -1)/status"]));
    return { value: (used / IDLE) * 100, kernel_changes: changes, resident_mb: Number(memory?.[1] ?? Number.NaN) / 1024 };
  } finally {
    await house.close();
  }
}

/** The daemon is the one Node program of the home. */
async function daemonSeconds(home: TestNode): Promise<number> {
  const seconds = await processorSeconds(home, ["node", "MainThread"]);
  return Object.values(seconds).reduce((sum, value) => sum + value, 0);
}
