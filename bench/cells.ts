import { PORT, SERVER } from "../test/net/household.ts";
import { compiled, type Testbed } from "../test/testbed/index.ts";
import type { Cell, Sample } from "./cell.ts";
import { idleDaemon } from "./idle.ts";
import { median } from "./percentile.ts";
import { processorSeconds } from "./processor.ts";
import { fourGateways } from "./setups.ts";

/** Counted from connect, slow start included. */
const SECONDS = 20;
const MEGA = 1e6;
const FLOWS = 8;
const FIRST_BYTES = 50;
const SMALL_FILES = 200;
const CHILDREN = ["openvpn", "haproxy"];

type Direction = "down" | "up";

async function flow(testbed: Testbed, args: readonly string[], limit: number): Promise<readonly Sample[]> {
  const { stdout, stderr } = await testbed.node("lan1").run(await compiled("flow"), [...args], { limit });
  const lines = stdout.split("\n").filter((line) => line.startsWith("{"));
  if (lines.length === 0) throw new Error(`flow ${args.join(" ")} said nothing: ${stderr}`);
  return lines.map((line) => {
    const result = JSON.parse(line) as Record<string, unknown>;
    if (result["content"] !== undefined && result["content"] !== "good") throw new Error(`flow ${args.join(" ")}: ${line}`);
    return Object.fromEntries(Object.entries(result).flatMap(([key, value]) => (typeof value === "number" ? [[key, value]] : [])));
  });
}

async function throughput(testbed: Testbed, direction: Direction, flows: number): Promise<Sample> {
  const mode = direction === "down" ? "get" : "put";
  const args = [mode, "--to", SERVER, "--port", String(PORT), "--seconds", String(SECONDS), "--parallel", String(flows)];
  const counters = async (): Promise<readonly number[]> =>
    await Promise.all(
      fourGateways.map(async (_, index) => {
        const { rxBytes, txBytes } = await testbed.node(`gw${String(index + 1)}`).counters("up0");
        return direction === "down" ? rxBytes : txBytes;
      }),
    );
  const before = await counters();
  const used = async (node: string): Promise<number> =>
    Object.values(await processorSeconds(testbed.node(node), CHILDREN)).reduce((sum, seconds) => sum + seconds, 0);
  const processorBefore = { home: await used("home"), relay: await used("relay") };
  const [sample] = (await flow(testbed, args, (SECONDS + 30) * 1000)).slice(-1);
  const after = await counters();
  const bytes = sample?.["bytes"] ?? 0;
  const shares = Object.fromEntries(
    after.map((count, index) => [`gw${String(index + 1)}`, ((count - (before[index] ?? 0)) * 8) / SECONDS / MEGA]),
  );
  const perGigabyte = (seconds: number): number => (bytes === 0 ? 0 : seconds / (bytes / 1e9));
  return {
    value: (bytes * 8) / SECONDS / MEGA,
    ...shares,
    home_cpu_s_per_gb: perGigabyte((await used("home")) - processorBefore.home),
    relay_cpu_s_per_gb: perGigabyte((await used("relay")) - processorBefore.relay),
  };
}

async function firstBytes(testbed: Testbed): Promise<Sample> {
  const args = ["get", "--to", SERVER, "--port", String(PORT), "--bytes", "1000", "--repeat", String(FIRST_BYTES)];
  const delays = (await flow(testbed, args, 60_000)).flatMap((sample) =>
    sample["first_byte_ms"] === undefined ? [] : [sample["first_byte_ms"]],
  );
  if (delays.length < FIRST_BYTES) throw new Error(`only ${String(delays.length)} of ${String(FIRST_BYTES)} connections had a first byte`);
  return { value: median(delays), most: Math.max(...delays) };
}

async function smallFiles(testbed: Testbed): Promise<Sample> {
  const args = ["get", "--to", SERVER, "--port", String(PORT), "--bytes", "100000", "--parallel", String(SMALL_FILES), "--limit", "60"];
  const [sample] = (await flow(testbed, args, 90_000)).slice(-1);
  if (sample?.["bytes"] !== SMALL_FILES * 100_000) throw new Error(`not all files came: ${String(sample?.["bytes"])} bytes`);
  return { value: sample["last_seconds"] ?? Number.NaN };
}

async function connects(testbed: Testbed): Promise<Sample> {
  const args = ["connects", "--to", SERVER, "--port", String(PORT), "--seconds", "5", "--parallel", "20"];
  const [sample] = (await flow(testbed, args, 60_000)).slice(-1);
  return { value: sample?.["per_second"] ?? Number.NaN };
}

const directions: readonly Direction[] = ["down", "up"];

const aloneCells = directions.flatMap((direction) =>
  fourGateways.map(
    (_, index): Cell => ({
      id: `alone-gw${String(index + 1)}-${direction}`,
      unit: "Mbit/s",
      measure: async (setups) => {
        const plain = await setups.plain("four");
        await plain.alone(index + 1);
        return await throughput(plain.testbed, direction, 1);
      },
    }),
  ),
);

const binderCells = directions.flatMap((direction): Cell[] => [
  {
    id: `binder-1-${direction}`,
    unit: "Mbit/s",
    measure: async (setups) => await throughput((await setups.binder("four")).testbed, direction, 1),
  },
  {
    id: `binder-128mb-1-${direction}`,
    unit: "Mbit/s",
    measure: async (setups) => await throughput((await setups.binder("small")).testbed, direction, 1),
  },
  {
    id: `binder-8-${direction}`,
    unit: "Mbit/s",
    measure: async (setups) => await throughput((await setups.binder("four")).testbed, direction, FLOWS),
  },
  {
    id: `per-flow-1-${direction}`,
    unit: "Mbit/s",
    measure: async (setups) => await throughput((await setups.perFlow()).testbed, direction, 1),
  },
  {
    id: `per-flow-8-${direction}`,
    unit: "Mbit/s",
    measure: async (setups) => await throughput((await setups.perFlow()).testbed, direction, FLOWS),
  },
]);

const otherCells: readonly Cell[] = [
  {
    id: "first-byte-direct",
    unit: "ms",
    measure: async (setups) => {
      const plain = await setups.plain("delay");
      await plain.alone(1);
      return await firstBytes(plain.testbed);
    },
  },
  { id: "first-byte-binder", unit: "ms", measure: async (setups) => await firstBytes((await setups.binder("delay")).testbed) },
  { id: "small-files-per-flow", unit: "s", measure: async (setups) => await smallFiles((await setups.perFlow()).testbed) },
  { id: "small-files-binder", unit: "s", measure: async (setups) => await smallFiles((await setups.binder("four")).testbed) },
  {
    id: "connects-direct",
    unit: "1/s",
    measure: async (setups) => {
      const plain = await setups.plain("four");
      await plain.alone(4);
      return await connects(plain.testbed);
    },
  },
  { id: "connects-binder", unit: "1/s", measure: async (setups) => await connects((await setups.binder("four")).testbed) },
];

/** The cells of what Binder carries; every repetition measures each once, in this order, so that a drift of the machine meets all alike. */
export const carriageCells: readonly Cell[] = [
  ...aloneCells,
  ...binderCells,
  ...otherCells,
  { id: "idle-daemon", unit: "%", repetitions: 1, measure: idleDaemon },
];
export const REPETITIONS = 5;
