/** The link emulator, measured by what crosses it and by its own counters. */
import { test } from "../harness/index.ts";
import { lineWords } from "./link.ts";
import { datagrams, serve, type Testbed, Testbed as Bed, type TwoWayLine } from "./index.ts";

const fresh: TwoWayLine = { rate: Infinity, delay: 0, jitter: 0, reorder: false, loss: 0, mtu: 0, dropFragments: false, block: false };

async function oneLine(seed = 7): Promise<Testbed> {
  const testbed = await Bed.create({ gateways: [{}], homeDefault: 1, seed });
  await serve(testbed.node("server"));
  return testbed;
}

/** Bit/s that leave the line upwards while more than it can carry is sent. */
async function rateUnderLoad(testbed: Testbed, rate: number): Promise<number> {
  await testbed.link(1).set({ ...fresh, up: { rate } });
  const load = datagrams(testbed.node("gw1"), { rate: rate * 1.3, size: 1500, seconds: 2.2 });
  await new Promise((resolve) => setTimeout(resolve, 500));
  const from = [performance.now(), (await testbed.link(1).counters()).up] as const;
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const to = [performance.now(), (await testbed.link(1).counters()).up] as const;
  await load;
  return ((to[1].bytes - from[1].bytes) * 8000) / (to[0] - from[0]);
}

test("a line", async (t) => {
  const testbed = await oneLine();
  t.teardown(() => testbed.close());
  t.comment(`seed ${String(testbed.seed)}`);
  const gateway = testbed.node("gw1");
  const link = testbed.link(1);
  const ping = async (size: number): Promise<boolean> =>
    (await gateway.run("ping", ["-c", "1", "-W", "1", "-M", "dont", "-s", String(size), "45.0.1.1"])).status === 0;

  await t.test("carries its rate within 1 %, and counts what it dropped for it", async (t) => {
    for (const rate of [2e6, 20e6, 75e6]) {
      const before = (await link.counters()).up.drops.queue;
      const measured = await rateUnderLoad(testbed, rate);
      t.comment(`${String(rate / 1e6)} Mbit/s: ${(measured / 1e6).toFixed(3)}`);
      t.ok(Math.abs(measured / rate - 1) < 0.01, `${String(measured)} is not ${String(rate)}`);
      const { queue, missed, errors } = (await link.counters()).up.drops;
      t.ok(queue > before, "nothing was dropped");
      t.equal(missed + errors, 0);
    }
  });

  await t.test("delays each direction by its own time, never less", async (t) => {
    await link.set({ ...fresh, up: { delay: 30 }, down: { delay: 5 } });
    const { up_ms: up, down_ms: down, lost } = await datagrams(gateway, { rate: 1e6, seconds: 1 });
    t.equal(lost, 0);
    if (up === null || down === null) throw new Error("nothing was echoed");
    t.ok(up.least >= 30 && up.median < 31.5, `up ${JSON.stringify(up)}`);
    t.ok(down.least >= 5 && down.median < 6.5, `down ${JSON.stringify(down)}`);
  });

  await t.test("jitters in order, and out of order when told", async (t) => {
    await link.set({ ...fresh, up: { delay: 10, jitter: 20 } });
    const ordered = await datagrams(gateway, { rate: 4e6, seconds: 1 });
    t.equal(ordered.lost, 0);
    t.equal(ordered.reordered, 0);
    t.ok((ordered.up_ms?.least ?? 0) >= 10 && (ordered.up_ms?.most ?? 0) > 20, JSON.stringify(ordered.up_ms));
    await link.set({ reorder: true });
    const mixed = await datagrams(gateway, { rate: 4e6, seconds: 1 });
    t.equal(mixed.lost, 0);
    t.ok(mixed.reordered > 50, `${String(mixed.reordered)} reordered`);
    t.ok(Math.abs((mixed.up_ms?.median ?? 0) - 20) < 3, `median of 10 to 30 ms: ${JSON.stringify(mixed.up_ms)}`);
  });

  await t.test("loses its share, and counts each frame", async (t) => {
    await link.set({ ...fresh, up: { loss: 0.1 } });
    const before = (await link.counters()).up.drops.loss;
    const { sent, lost_up: lost } = await datagrams(gateway, { rate: 8e6, size: 500, seconds: 1 });
    t.equal((await link.counters()).up.drops.loss - before, lost);
    // 2000 of them, standard deviation 13.4.
    t.ok(Math.abs(lost / sent - 0.1) < 0.035, `${String(lost)} of ${String(sent)}`);
  });

  await t.test("queues what it was told and drops the tail", async (t) => {
    await link.set({ ...fresh, up: { rate: 1e6, queue: 30_000 } });
    const before = (await link.counters()).up;
    const { sent, lost_up: lost, up_ms: up } = await datagrams(gateway, { rate: 100e6, size: 1000, seconds: 0.02 });
    const after = (await link.counters()).up;
    t.equal(after.drops.queue - before.drops.queue, lost);
    // 29 frames of 1014 bytes wait, one is being sent, two or three leave meanwhile.
    t.ok(sent - lost >= 29 && sent - lost <= 35, `${String(sent - lost)} passed`);
    t.ok(up !== null && up.most > 220 && up.most < 260, `30 kB at 1 Mbit/s are 240 ms: ${JSON.stringify(up)}`);
  });

  await t.test("swallows packets above its MTU and fragments, silently", async (t) => {
    await link.set({ ...fresh, mtu: 1400 });
    t.equal(await ping(1372), true, "1400 bytes pass");
    t.equal(await ping(1373), false, "1401 do not");
    t.equal((await link.counters()).up.drops.mtu, 1);
    await link.set(fresh);
    t.equal(await ping(3000), true, "fragments pass by default");
    await link.set({ dropFragments: true });
    t.equal(await ping(3000), false);
    t.equal(await ping(1400), true, "whole packets still do");
    t.equal((await link.counters()).up.drops.fragments, 3);
  });

  await t.test("can be cut, with what is on its way, and mended", async (t) => {
    await link.set({ ...fresh, delay: 300 });
    const late = gateway.start("ping", ["-c", "1", "-W", "1", "45.0.1.1"]);
    const { inPackets } = (await link.counters()).up;
    while ((await link.counters()).up.inPackets === inPackets) await new Promise((resolve) => setTimeout(resolve, 5));
    await link.cut();
    t.equal(await late.exit, 1);
    t.equal(await ping(56), false);
    await link.mend();
    t.equal(await ping(56), true);
  });

  await t.test("counts what the gateway's own device counts", async (t) => {
    await link.set(fresh);
    const device = await gateway.counters("up0");
    const line = await link.counters();
    t.equal(line.up.inPackets, device.txPackets);
    t.equal(line.up.inBytes, device.txBytes);
    t.equal(line.down.packets, device.rxPackets);
    t.equal(line.down.bytes, device.rxBytes);
    t.ok(device.txPackets > 1000);
    for (const { drops } of [line.up, line.down]) t.equal(drops.missed + drops.errors, 0);
  });

  await t.test("refuses settings out of range, and keeps what it had", async (t) => {
    await link.set(fresh);
    await t.rejects(link.set({ loss: 1.5 }), RangeError);
    await t.rejects(link.set({ rate: 0 }), RangeError);
    await t.rejects(link.set({ up: { delay: -1 } }), RangeError);
    await link.set({ delay: 1 });
    t.equal(await ping(56), true);
  });
});

test("a default queue follows the rate", (t) => {
  t.match(lineWords({ rate: 40e6 }), / queue=500000 /);
  t.match(lineWords({ rate: 1e6 }), / queue=60000 /);
  t.match(lineWords({ rate: 8e6, queue: { ms: 50 } }), / queue=50000 /);
  t.match(lineWords({ rate: 8e6, queue: 1234 }), / queue=1234 /);
});

test("the same seed loses the same frames", async (t) => {
  const lost = [];
  for (let i = 0; i < 2; i++) {
    const testbed = await oneLine(42);
    t.teardown(() => testbed.close());
    await testbed.link(1).set({ up: { loss: 0.3 } });
    lost.push((await datagrams(testbed.node("gw1"), { rate: 2e6, size: 500, seconds: 1 })).lost_up);
  }
  t.ok((lost[0] ?? 0) > 100, String(lost[0]));
  t.equal(lost[0], lost[1]);
});
