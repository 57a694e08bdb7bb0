import { writeFile } from "node:fs/promises";
import { projectRoot } from "../test/testbed/index.ts";
import { carriageCells } from "./cells.ts";
import { failoverCells } from "./failover/cells.ts";
import { failover } from "./failover/report.ts";
import { figures, middle, round } from "./figures.ts";
import { median } from "./percentile.ts";
import { type Bar, bars } from "./plots.ts";
import type { Results } from "./results.ts";
import { fourGateways } from "./setups.ts";

const cells = [...carriageCells, ...failoverCells];
const folder = `${projectRoot}/bench`;
const gatewayNames = fourGateways.map((_, index) => `gw${String(index + 1)}`);

function bar(results: Results, label: string, id: string, direction: string): readonly Bar[] {
  const values = figures(results, id);
  return values.length === 0 ? [] : [{ label, direction, least: Math.min(...values), value: median(values), most: Math.max(...values) }];
}

/** Ratios within each repetition, and their median: a drift of the machine meets both sides of a ratio. */
function ratio(
  results: Results,
  above: string,
  below: readonly string[],
  reduce: (values: readonly number[]) => number,
): readonly number[] {
  return figures(results, above).map((value, index) => value / reduce(below.map((id) => figures(results, id)[index] ?? Number.NaN)));
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const largest = (values: readonly number[]): number => Math.max(...values);

/** Writes bench/README.md and its plots from the results. */
export async function writeReport(results: Results): Promise<void> {
  const sections = [
    head(results),
    await rates(results),
    shares(results),
    small(results),
    await failover(results, folder),
    processor(results),
    all(results),
  ];
  await writeFile(`${folder}/README.md`, `${sections.join("\n\n")}\n`);
}

function head(results: Results): string {
  const { machine } = results;
  const repetitions = Math.min(
    ...cells.filter((cell) => cell.repetitions === undefined).map((cell) => results.cells[cell.id]?.length ?? 0),
  );
  return [
    "# What Binder carries, measured",
    "",
    `Made by \`make bench\` at commit ${results.commit}, or at later ones whose program is the same (${results.measured}), from ${results.started.slice(0, 10)} on, with ${String(machine.cores)} cores of ${machine.cpu}, Linux ${machine.kernel}.`,
    `Medians of ${String(repetitions)} interleaved repetitions; a rate is what the receiver got over 20 s from connect, slow start included.`,
    'Four gateways of 20, 10, 5 and 40 Mbit/s with 10, 30, 60 and 5 ms each way, emulated; "alone" is a plain TCP flow of a LAN host through one gateway without Binder, "per-flow"',
    "gives each connection one gateway at random, as mwan3 does.",
    ...results.warnings.map((warning) => `\nNote: ${warning}.`),
  ].join("\n");
}

async function rates(results: Results): Promise<string> {
  const data: Bar[] = [];
  const rows: string[] = [];
  for (const direction of ["down", "up"]) {
    const alone = gatewayNames.map((name) => `alone-${name}-${direction}`);
    for (const [index, id] of alone.entries()) data.push(...bar(results, `gateway ${String(index + 1)} alone`, id, direction));
    for (const [label, id] of [
      ["per-flow, 1 flow", `per-flow-1-${direction}`],
      ["per-flow, 8 flows", `per-flow-8-${direction}`],
      ["Binder, 1 flow", `binder-1-${direction}`],
      ["Binder, 8 flows", `binder-8-${direction}`],
      ["Binder, 1 flow, 128 MB router", `binder-128mb-1-${direction}`],
    ] as const) {
      data.push(...bar(results, label, id, direction));
      const ofSum = ratio(results, id, alone, sum);
      const ofBest = ratio(results, id, alone, largest);
      rows.push(
        `| ${label} | ${direction} | ${round(middle(results, id))} | ${round(median(ofSum), 3)} | ${round(Math.min(...ofSum), 3)} | ${round(median(ofBest), 2)} |`,
      );
    }
  }
  await writeFile(`${folder}/rates.svg`, bars("Mbit/s", data));
  return [
    "## Rates",
    "",
    "![rates](rates.svg)",
    "",
    "| what | direction | Mbit/s | of the sum alone | worst | times the best alone |",
    "| --- | --- | --- | --- | --- | --- |",
    ...rows,
  ].join("\n");
}

function shares(results: Results): string {
  const rows = ["binder-1-down", "binder-1-up", "binder-128mb-1-down", "binder-128mb-1-up"].map((id) => {
    const direction = id.endsWith("up") ? "up" : "down";
    const parts = gatewayNames.map(
      (name) =>
        `${round(middle(results, id, name))} (${round(middle(results, id, name) / middle(results, `alone-${name}-${direction}`, name), 2)})`,
    );
    return `| ${id} | ${parts.join(" | ")} |`;
  });
  return [
    "## Each gateway's share",
    "",
    "Mbit/s by the gateways' own interface counters, and in parentheses the part of what the same counter showed for that gateway alone.",
    "",
    `| cell | ${gatewayNames.join(" | ")} |`,
    `| --- | ${gatewayNames.map(() => "---").join(" | ")} |`,
    ...rows,
  ].join("\n");
}

function small(results: Results): string {
  const firstByte = median(ratio(results, "first-byte-binder", ["first-byte-direct"], sum));
  return [
    "## Small things",
    "",
    "| what | without Binder | Binder | ratio |",
    "| --- | --- | --- | --- |",
    `| first byte, median of 50, round trips of 40, 40, 60 and 120 ms (without: the best gateway) | ${round(middle(results, "first-byte-direct"))} ms | ${round(middle(results, "first-byte-binder"))} ms | ${round(firstByte, 3)} |`,
    `| 200 downloads of 100 kB, the last one (without: per-flow) | ${round(middle(results, "small-files-per-flow"))} s | ${round(middle(results, "small-files-binder"))} s | ${round(median(ratio(results, "small-files-binder", ["small-files-per-flow"], sum)), 2)} |`,
    `| connections per second, 20 at a time (without: the best gateway) | ${round(middle(results, "connects-direct"))} | ${round(middle(results, "connects-binder"))} | ${round(median(ratio(results, "connects-binder", ["connects-direct"], sum)), 2)} |`,
  ].join("\n");
}

function processor(results: Results): string {
  const rows = ["binder-1-down", "binder-1-up", "binder-8-down", "binder-8-up"].map(
    (id) => `| ${id} | ${round(middle(results, id, "home_cpu_s_per_gb"))} | ${round(middle(results, id, "relay_cpu_s_per_gb"))} |`,
  );
  return [
    "## Processor",
    "",
    "Seconds of one core for each gigabyte carried, OpenVPN and HAProxy together.",
    `The home's daemon itself, idle for five minutes with eight lanes up: ${round(middle(results, "idle-daemon"), 2)} % of a core, ${round(middle(results, "idle-daemon", "resident_mb"), 0)} MB resident (on Node),`,
    `and ${round(middle(results, "idle-daemon", "kernel_changes"), 0)} changes of the kernel's state.`,
    "",
    "| cell | home | relay |",
    "| --- | --- | --- |",
    ...rows,
  ].join("\n");
}

function all(results: Results): string {
  const rows = cells.map(
    ({ id, unit }) =>
      `| ${id} | ${unit} | ${round(middle(results, id))} | ${figures(results, id)
        .map((value) => round(value))
        .join(" ")} |`,
  );
  return ["## Every sample", "", "| cell | unit | median | samples |", "| --- | --- | --- | --- |", ...rows].join("\n");
}
