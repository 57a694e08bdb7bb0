import { type Household, until } from "./household.ts";

/** Waits until so many lanes are up, and new flows are spread over just those. */
export async function lanesUsed(house: Household, count: number, limit?: number): Promise<void> {
  await house.lanesUp(count, limit);
  await until(`${String(count)} lanes are used`, 5_000, async () => {
    const table = await house.node("home").must("nft", ["list", "table", "inet", "binder"]);
    return [...table.matchAll(/chain lane_\d+ /g)].length === count ? true : undefined;
  });
}

/** Tells the daemon to read its configuration; prints what it answers, which it does once what it read is in force. */
const RELOAD = `const s = require("net").connect("/run/binder/control.sock", () => s.write('{"id":1,"method":"reload","args":{}}\\n'));
  s.on("data", (text) => { console.log(String(text).trim()); s.destroy(); }); s.on("error", (e) => { console.log(e.code); process.exit(1); });`;

/** Gives the running home another configuration: `base` and what is added to it. It is in force when this resolves. */
export async function reconfigure(house: Household, base: string, added: string): Promise<void> {
  const home = house.node("home");
  await home.write("/etc/config/binder", `${base}\n${added}\n`);
  const answer = await home.must(process.execPath, ["-e", RELOAD]);
  if (answer.includes('"error"')) throw new Error(`the configuration is not read: ${answer}`);
}
