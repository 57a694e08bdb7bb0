/**
 * Twenty minutes of random faults, from a seed.
 *
 *     make soak [SEED=number] [SECONDS=1200]
 */
import { soak } from "./soak.ts";

const seed = Number(process.env["SEED"] ?? Date.now() % 1e9);
const seconds = Number(process.env["SECONDS"] ?? 1_200);
console.log(`seed ${String(seed)}, ${String(seconds)} s`);
const result = await soak(seconds, seed, (text) => {
  console.log(text);
});
console.log(
  `${String(result.flows)} flows, ${String(result.again)} begun again, ${result.megabytes.toFixed(0)} MB, ${String(result.faults)} faults`,
);
for (const text of [...result.lost, ...result.moved]) console.log(`seed ${String(seed)}: ${text}`);
process.exitCode = result.lost.length + result.moved.length === 0 ? 0 : 1;
