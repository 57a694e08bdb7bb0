/** Power is lost while a command writes: whatever was killed, nothing is half-written, and the same command works afterwards. */
import { test } from "../harness/index.ts";
import { randomFrom } from "../soak/schedule.ts";
import { Testbed, type TestNode } from "../testbed/index.ts";
import { BINDER, RELAY } from "./household.ts";

const TIMES = 10;
/** Some longer than the commands take (ms), so that they are met at every point. */
const LONGEST = 250;

test("power is lost in the middle of a command", { timeout: 240_000 }, async (t) => {
  const seed = Number(process.env["SEED"] ?? Date.now() % 1e9);
  t.comment(`SEED=${String(seed)}`);
  const random = randomFrom(seed);
  const testbed = await Testbed.create({ gateways: [{}], seed });
  t.teardown(async () => {
    await testbed.close();
  });
  const [home, relay] = [testbed.node("home"), testbed.node("relay")];

  /** Runs it and kills it at a random moment; answers whether it had ended by itself. */
  const interrupted = async (node: TestNode, args: readonly string[], input = ""): Promise<boolean> => {
    const running = node.start(BINDER, args);
    running.write(input);
    running.closeInput();
    const timer = setTimeout(
      () => {
        running.kill("SIGKILL");
      },
      20 + random() * LONGEST,
    );
    const status = await running.exit;
    clearTimeout(timer);
    return status === 0;
  };
  const book = async (): Promise<readonly string[]> => {
    const { homes } = JSON.parse(await relay.must(BINDER, ["relay", "list", "--json"])) as { homes: readonly { name: string }[] };
    return homes.map(({ name }) => name).sort();
  };

  await t.test("binder relay init", async (t) => {
    let done = 0;
    for (let i = 0; i < TIMES; i += 1) {
      await relay.must("sh", ["-c", "rm -rf /etc/binder-relay /etc/binder/relay /etc/binder /etc/config/binder-relay"]);
      const init = ["relay", "init", "--address", RELAY, "--name", "coop"];
      if (await interrupted(relay, init)) done += 1;
      const again = await relay.run(BINDER, init);
      t.ok(again.status === 0 || /already/.test(again.stderr), again.stderr.trim());
      t.same(await book(), []);
      await relay.must(BINDER, ["relay", "add-home", "trial"]);
    }
    t.ok(done < TIMES, `${String(done)} of ${String(TIMES)} ended before they were killed`);
  });

  await t.test("binder relay add-home, rekey and remove-home", async (t) => {
    await relay.must(BINDER, ["relay", "add-home", "first"]);
    for (let i = 0; i < TIMES; i += 1) {
      const name = `home${String(i)}`;
      await interrupted(relay, ["relay", "add-home", name]);
      const has = (await book()).includes(name);
      const { status, stderr, stdout } = await relay.run(BINDER, ["relay", has ? "rekey" : "add-home", name]);
      t.equal(status, 0, `${has ? "rekey" : "add-home"}: ${stderr}`);
      t.match(stdout, /^binder:\/\/v1\//);
      await interrupted(relay, ["relay", "rekey", name]);
      t.ok((await book()).includes(name), "it is still a home");
      t.equal((await relay.run(BINDER, ["relay", "rekey", name])).status, 0);
      await interrupted(relay, ["relay", "remove-home", name]);
      if ((await book()).includes(name)) await relay.must(BINDER, ["relay", "remove-home", name]);
      t.same(await book(), ["first", "trial"]);
    }
  });

  await t.test("binder join", async (t) => {
    for (let i = 0; i < TIMES; i += 1) {
      await home.must("sh", ["-c", "rm -rf /etc/binder"]);
      await home.write(
        "/etc/config/binder",
        "config lan 'home'\n\toption device 'lan0'\n\nconfig gateway 'gw1'\n\toption device 'mesh0'\n\toption via '10.77.0.101'\n",
      );
      const invite = await relay.must(BINDER, ["relay", "rekey", "first"]);
      await interrupted(home, ["join", "-"], invite);
      const { status, stderr } = await home.run(BINDER, ["check"]);
      t.equal(status, 0, `the configuration is whole: ${stderr}`);
      await home.must(BINDER, ["join", "-"], { input: invite });
      t.match(await home.read("/etc/config/binder"), /config gateway 'gw1'[\s\S]*config relay 'coop'/);
      t.equal((await home.must("sh", ["-c", "grep -l 'PRIVATE KEY' /etc/binder/coop/* | wc -l"])).trim(), "1");
    }
  });
});
