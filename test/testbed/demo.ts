/**
 * `make demo`: a household behind four gateways downloads by each alone, then installs Binder and downloads over all of them. The
 * network is emulated; Binder, OpenVPN and HAProxy are the real ones. DEMO_JSON=FILE also writes the figures.
 */
import { writeFile } from "node:fs/promises";
import { BINDER, Household, type FlowResult, PORT, SERVER } from "../net/household.ts";
import { formatMega, type Line } from "./demo/picture.ts";
import { Screen } from "./demo/screen.ts";
import { compiled, type Testbed } from "./index.ts";

/** Rates in bit/s, delays in ms one way. */
const gateways = [
  { rate: 20e6, delay: 10 },
  { rate: 10e6, delay: 30 },
  { rate: 5e6, delay: 60 },
  { rate: 40e6, delay: 5 },
];
const names = gateways.map((_, index) => `gw${String(index + 1)}`);
const ALONE_SECONDS = 8;
const TOGETHER_SECONDS = 20;
/** The picture is redrawn this often, with the rates over the last {@link WINDOW} samples (ms). */
const SAMPLE = 250;
const WINDOW = 4;

const screen = new Screen();

/** Bytes that each gateway has received from the Internet so far. */
async function received(testbed: Testbed): Promise<readonly number[]> {
  return await Promise.all(gateways.map(async (_, index) => (await testbed.node(`gw${String(index + 1)}`).counters("up0")).rxBytes));
}

interface Sample {
  readonly time: number;
  readonly bytes: readonly number[];
}

function ratesBetween(before: Sample, after: Sample): readonly number[] {
  const seconds = (after.time - before.time) / 1000;
  return after.bytes.map((bytes, index) => (seconds <= 0 ? 0 : ((bytes - (before.bytes[index] ?? 0)) * 8) / seconds));
}

/** One download by the LAN host with the picture beside it; answers it and what each gateway carried, bit/s. */
async function watchedDownload(
  testbed: Testbed,
  seconds: number,
  title: string,
): Promise<{ readonly flow: FlowResult; readonly shares: readonly number[] }> {
  const take = async (): Promise<Sample> => ({ time: performance.now(), bytes: await received(testbed) });
  const first = await take();
  const samples = [first];
  const args = ["get", "--to", SERVER, "--port", String(PORT), "--seconds", String(seconds)];
  const running = testbed.node("lan1").start(await compiled("flow"), args);
  const state = { ended: false };
  const end = running.exit.then(() => (state.ended = true));
  while (!state.ended) {
    await Promise.race([end, new Promise((resolve) => setTimeout(resolve, SAMPLE))]);
    const now = await take();
    samples.push(now);
    if (samples.length > WINDOW + 1) samples.shift();
    const rates = ratesBetween(samples[0] ?? first, now);
    const lines = gateways.map(({ rate }, index): Line => ({ name: names[index] ?? "", most: rate, rate: rates[index] ?? 0 }));
    const elapsed = Math.min(seconds, Math.round((now.time - first.time) / 1000));
    screen.draw(`${title}, ${String(elapsed)} of ${String(seconds)} s`, lines);
  }
  const shares = ratesBetween(first, await take());
  screen.settle();
  const line = running.lines.at(-1);
  if (line === undefined) throw new Error(`the download said nothing: ${running.stderr}`);
  const flow = JSON.parse(line) as FlowResult;
  if (flow.content !== "good") throw new Error(`the download was not what the server sent: ${line}`);
  return { flow, shares };
}

/** Plain downloads by each gateway, as a router without Binder does them; bit/s. */
async function eachAlone(testbed: Testbed): Promise<readonly number[]> {
  const rates: number[] = [];
  for (const [index, name] of names.entries()) {
    await testbed.homeDefault(index + 1);
    const { flow } = await watchedDownload(testbed, ALONE_SECONDS, `Without Binder, by ${name} alone`);
    screen.say(`  ${name} alone: ${formatMega(flow.bps)}`);
    rates.push(flow.bps);
    // What still waits in the line is not the next one's.
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  await testbed.homeDefault(undefined);
  return rates;
}

function showStep(machine: "relay" | "home", step: string): void {
  screen.say(
    step
      .split("\n")
      .map((line, row) => `  ${machine.padEnd(5)}${row === 0 ? "#" : " "} ${line}`)
      .join("\n"),
  );
}

async function demo(): Promise<boolean> {
  const began = performance.now();
  screen.say("A household behind four gateways to the Internet, in an emulated network:\n");
  for (const [index, { rate, delay }] of gateways.entries()) {
    screen.say(`  ${names[index] ?? ""}  ${(rate / 1e6).toFixed(0).padStart(3)} Mbit/s, ${String(delay).padStart(2)} ms each way`);
  }
  screen.say("");
  let alone: readonly number[] = [];
  const house = await Household.create(
    { gateways },
    {
      beforeBinder: async (testbed) => {
        for (const warning of testbed.warnings) screen.say(`note: ${warning}`);
        alone = await eachAlone(testbed);
        screen.say("\nNow Binder, typed as a new user would:\n");
      },
      onStep: showStep,
    },
  );
  try {
    showStep("home", "binder status");
    await house.lanesUp(gateways.length);
    // A rate that was measured by probes alone says nothing: the table is shown after the download.
    const { flow, shares } = await watchedDownload(house.testbed, TOGETHER_SECONDS, "With Binder, one download");
    screen.say(`\n${await house.node("home").must(BINDER, ["status"])}`);
    return await conclude(alone, flow.bps, shares, (performance.now() - began) / 1000);
  } finally {
    await house.close();
  }
}

/** Tells the figures; answers whether one download over all was faster than over the best alone. */
async function conclude(alone: readonly number[], together: number, shares: readonly number[], seconds: number): Promise<boolean> {
  const best = Math.max(...alone);
  const sum = alone.reduce((total, rate) => total + rate, 0);
  const rows: readonly (readonly [string, string])[] = [
    ["best gateway alone", formatMega(best)],
    ["all four, each alone, added up", formatMega(sum)],
    [
      "one download with Binder",
      `${formatMega(together)}: ${(together / best).toFixed(2)} times the best, ${percent(together / sum)} of the sum`,
    ],
    ...shares.map((share, index): readonly [string, string] => [`  of it by ${names[index] ?? ""}`, `${formatMega(share)} on its line`]),
  ];
  const width = Math.max(...rows.map(([what]) => what.length));
  for (const [what, figure] of rows) screen.say(`${what.padEnd(width)}  ${figure}`);
  screen.say(`\nDone in ${seconds.toFixed(0)} s. Nothing of it is left on this machine.`);
  const file = process.env["DEMO_JSON"];
  if (file !== undefined && file !== "") {
    const mega = (rate: number): number => Math.round(rate / 1e4) / 100;
    const figures = {
      best_alone_mbps: mega(best),
      sum_alone_mbps: mega(sum),
      together_mbps: mega(together),
      shares_mbps: shares.map(mega),
    };
    await writeFile(file, `${JSON.stringify(figures)}\n`);
  }
  return together > best;
}

const percent = (share: number): string => `${(share * 100).toFixed(0)} %`;

// The testbed ends with this process, whatever ends it; the cursor must be put back.
for (const [signal, number] of [
  ["SIGINT", 2],
  ["SIGTERM", 15],
  ["SIGHUP", 1],
] as const) {
  process.on(signal, () => {
    screen.say("\nStopped; nothing is left on this machine.");
    process.exit(128 + number);
  });
}

if (process.getuid?.() !== 0) {
  screen.say("make demo needs root: it makes network namespaces.");
  process.exit(1);
}
try {
  process.exitCode = (await demo()) ? 0 : 1;
} catch (error) {
  screen.settle();
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
