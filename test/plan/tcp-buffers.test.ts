import { firstWindow } from "../../src/plan/first-window.ts";
import { holdsReserve, receiveBuffer, sendBuffer, sendLimit, unsentLimit } from "../../src/plan/tcp-buffers.ts";
import { test } from "../harness/index.ts";

const MEGABYTE = 2 ** 20;

test("receive buffers follow the memory", (t) => {
  const megabytes = (...figures: readonly number[]): string => ["4096", ...figures.map((figure) => String(figure * MEGABYTE))].join(" ");
  t.equal(receiveBuffer(128 * MEGABYTE, "home"), megabytes(16, 16));
  t.equal(receiveBuffer(32 * MEGABYTE, "home"), megabytes(8, 8), "never less than the lines need");
  t.equal(receiveBuffer(2 ** 36, "home"), megabytes(16, 32), "never more");
  t.equal(receiveBuffer(2 ** 30, "relay"), megabytes(4, 32), "servers fill the exits' buffers");
  t.equal(receiveBuffer(2 ** 36, "relay"), megabytes(16, 32));
});

test("a subflow may hold what the lanes need, within bounds", (t) => {
  const limit = (alone: number) => sendLimit({ reserved: 999_999, alone }, false);
  t.equal(sendBuffer(limit(262_144)), "4096 16384 262144");
  t.equal(unsentLimit(limit(0)), undefined, "left as it is");
  t.equal(limit(0).subflow, 448 * 1024, "nothing is known of them");
  t.equal(limit(500_000).subflow, 500_000);
  t.equal(limit(1_000).subflow, 262_144);
  t.equal(limit(2 ** 32 - 1).subflow, 4 * MEGABYTE, "whatever a home says");
});

test("with a reserve a subflow holds less and the connection the rest, little of it unsent", (t) => {
  const limit = (reserved: number) => sendLimit({ reserved, alone: 999_999 }, true);
  t.equal(sendBuffer(limit(0)), `${String(4 * MEGABYTE)} 16384 ${String(192 * 1024)}`);
  t.equal(unsentLimit(limit(0)), String(64 * 1024));
  t.equal(limit(1_000).subflow, 96 * 1024);
  t.equal(limit(900_000).subflow, 900_000);
  t.equal(limit(2 ** 32 - 1).subflow, 4 * MEGABYTE);
});

test("kernels whose MPTCP does not heed the limit of what is unsent hold no reserve", (t) => {
  t.same(["6.12.47", "6.18.44-fc", "7.0", "6.12-rc1"].map(holdsReserve), [true, true, true, true]);
  t.same(["6.1.0-41-amd64", "6.6.93", "5.15.0", "", "x.y"].map(holdsReserve), [false, false, false, false, false]);
});

test("a subflow begins with half of what its lane carries in a round trip, if that is much", (t) => {
  t.equal(firstWindow(0), 0);
  t.equal(firstWindow(75_000), 0, "5 Mbit/s at 120 ms: the kernel's ten");
  t.equal(firstWindow(600_000), 128, "40 Mbit/s at 120 ms");
  t.equal(firstWindow(100_000_000), 128);
  for (const bytes of [90_000, 123_456, 345_678]) {
    const window = firstWindow(bytes);
    t.ok(window >= 32 && window * 1340 * 2 <= bytes && window * 1340 * 4 > bytes, String(window));
  }
});
