import { type Household, until } from "./household.ts";

/** Waits until so many lanes are up, and new flows are spread over just those. */
export async function lanesUsed(house: Household, count: number, limit?: number): Promise<void> {
  await house.lanesUp(count, limit);
  await until(`${String(count)} lanes are used`, 5_000, async () => {
    const table = await house.node("home").must("nft", ["list", "table", "inet", "binder"]);
    return [...table.matchAll(/chain lane_\d+ /g)].length === count ? true : undefined;
  });
}

/** Gives the running home another configuration: `base` and what is added to it. */
export async function reconfigure(house: Household, base: string, added: string): Promise<void> {
  const home = house.node("home");
  const { stderr } = house.homeDaemon;
  await home.write("/etc/config/binder", `${base}\n${added}\n`);
  house.homeDaemon.kill("SIGHUP");
  await until("the configuration is read", 5_000, async () =>
    Promise.resolve(house.homeDaemon.stderr.slice(stderr.length).includes("configuration read") ? true : undefined),
  );
}
