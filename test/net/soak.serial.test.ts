import { test } from "../harness/index.ts";
import { soak } from "../soak/soak.ts";

test("a minute of random faults", { timeout: 400_000 }, async (t) => {
  const seed = Number(process.env["SEED"] ?? Date.now() % 1e9);
  t.comment(`SEED=${String(seed)}`);
  const told: string[] = [];
  const result = await soak(60, seed, (text) => told.push(text));
  t.comment(
    `${String(result.flows)} flows, ${String(result.again)} begun again, ${result.megabytes.toFixed(0)} MB, ${String(result.faults)} faults`,
  );
  if (result.lost.length + result.moved.length > 0) for (const text of told) t.comment(text);
  t.ok(result.flows >= 5 && result.faults >= 5, "something happened");
  t.same(result.lost, [], `no flow is lost (SEED=${String(seed)})`);
  t.same(result.moved, [], `memory, descriptors, processes and rules are where they were (SEED=${String(seed)})`);
});
