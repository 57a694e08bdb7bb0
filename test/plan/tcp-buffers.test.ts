import { receiveBuffer, sendBuffer, subflowLimit } from "../../src/plan/tcp-buffers.ts";
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
  t.equal(sendBuffer(262_144), "4096 16384 262144");
  t.equal(subflowLimit(0), 448 * 1024, "nothing is known of them");
  t.equal(subflowLimit(500_000), 500_000);
  t.equal(subflowLimit(1_000), 262_144);
  t.equal(subflowLimit(2 ** 40), 4 * MEGABYTE);
});
