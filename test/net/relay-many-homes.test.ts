import { test } from "../harness/index.ts";
import { BINDER, Household } from "./household.ts";
import { Download, listed } from "./relay.ts";

test("two hundred homes", { timeout: 120_000 }, async (t) => {
  const house = await Household.create({ gateways: [{ delay: 2 }] });
  t.teardown(async () => {
    await house.close();
  });
  await house.lanesUp(1);
  const relay = house.node("relay");
  const download = await Download.begin(house, "lan1", 6);
  const begun = performance.now();
  const many = 4;
  for (let i = 0; i < many; i++) await relay.must(BINDER, ["relay", "add-home", `home-${String(i)}`]);
  t.comment(`${((performance.now() - begun) / many).toFixed(0)} ms to let a home in`);
  // The others by the book alone: what they cost a relay is the same.
  const others = Array.from({ length: 200 - many - 1 }, (_, index) => {
    const number = String(many + 3 + index);
    return `\nconfig home\n\toption name 'far-${number}'\n\toption number '${number}'\n\toption cn 'home-${number}-00ff00ff00ff00ff'\n\toption added '2026-01-01T00:00:00Z'\n`;
  });
  await relay.write("/etc/binder/relay/homes", `${await relay.read("/etc/binder/relay/homes")}${others.join("")}`, 0o600);
  await relay.must(BINDER, ["relay", "add-home", "last"]);
  const { homes } = await listed(house);
  t.equal(homes.length, 201);
  t.equal(new Set(homes.map(({ address }) => address)).size, 201, "each has its own address");
  t.equal(homes.at(-1)?.number, 202);
  const entries = await relay.must("sh", ["-c", "ls /etc/binder/relay/ccd/* | grep -c home-"]);
  t.equal(Number(entries), 201 * 8, "each is let in on each lane");
  t.equal((await download.result()).content, "good", "the first home downloads all the while");
  t.equal((await house.get(["--seconds", "1"])).content, "good", "and after");
});
