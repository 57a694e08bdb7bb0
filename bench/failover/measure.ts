import type { Household } from "../../test/net/household.ts";
import { backAfter, longestStall, type Point, rateBetween, ratesBetween, Timeline } from "../../test/net/timeline.ts";
import type { Sample } from "../cell.ts";
import { median } from "../percentile.ts";
import { FASTEST, type Fault, restart } from "./faults.ts";

/** The fault comes this late in the transfer, ms: long after slow start. */
const BEGINS = 5_000;
/**
 * And up to so much later, ms. Every five seconds, as measured here, BBR slows each subflow down for 0.2 s to look at its round trip
 * (bbr_probe_rtt_mode_ms, net/ipv4/tcp_bbr.c), those of a connection all together, as they began together: faults are to meet every moment of
 * that alike.
 */
const CYCLE = 5_000;
/** A repair comes at no moment (ms of the cycle) at which the congestion control would soon pause, or still does: its rate would be that one's. */
const REPAIRS = { from: 500, to: 3_500 };
/** The rate before it is taken over the last of these, ms. */
const BEFORE = 2_500;
const MEGA = 1e6;
/** A stall that begins later in a fault (ms) than this is none of its own: the congestion control pauses with fewer lanes too. */
const OWN = 1_000;
/** After this much of a fault (ms) what the others carry has to be carried. */
const SETTLED = 2_000;
/** What cannot be told because it lasted beyond the transfer's end is this (ms), in figures. */
export const NEVER = 99_000;

/** What one fault did to one download. `points` are for the plot, relative to the fault. */
export interface Course {
  readonly sample: Sample;
  readonly points: readonly Point[];
}

/**
 * Downloads through a fault and its repair. `alone`: no daemon of Binder's runs meanwhile. `phase`, 0 to 1: when in the congestion control's
 * cycle the fault comes. Throws if the content is wrong.
 */
export async function through(house: Household, fault: Fault, alone: boolean, phase: number): Promise<Course> {
  await house.lanesUp(4, 60_000);
  const begins = BEGINS + phase * CYCLE;
  const repaired = repairAt(begins + fault.lasts);
  const seconds = (repaired + fault.after) / 1000;
  const timeline = await Timeline.start(house, "get", seconds);
  if (alone) {
    house.homeDaemon.kill("SIGKILL");
    await house.homeDaemon.exit;
  }
  await timeline.passed(begins);
  const delay = alone ? undefined : (await house.status()).gateways.find(({ number }) => number === FASTEST)?.delay_ms;
  const begun = timeline.now;
  await fault.begin(house);
  const mended = await timeline.passed(repaired);
  await fault.repair(house);
  const { content, end } = await timeline.result();
  if (alone) restart(house);
  if (`${content} ${end}` !== "good time") throw new Error(`${fault.id}: the transfer was ${content} and ended ${end}`);
  const { points } = timeline;
  const full = median(ratesBetween(points, begun - BEFORE, begun - 50));
  const back = backAfter(points, mended, full);
  return {
    sample: {
      // A step of the record may already belong to the fault.
      value: Math.max(0, longestStall(points, begun - 20, begun + OWN)),
      later: Math.max(0, longestStall(points, begun + OWN, mended)),
      before: Math.max(0, longestStall(points, begun - BEFORE, begun - 20)),
      back: Number.isFinite(back) ? back : NEVER,
      full: full / MEGA,
      during: rateBetween(points, begun + 500, mended) / MEGA,
      ...(typeof delay === "number" ? { delay } : {}),
      least: Math.min(...ratesBetween(points, begun + SETTLED, mended)) / MEGA,
    },
    points: points.map(({ at, bytes }) => ({ at: at - begun, bytes })),
  };
}

/** The first moment from `due` on (ms of the transfer) for a repair. */
function repairAt(due: number): number {
  const inCycle = due % CYCLE;
  if (inCycle < REPAIRS.from) return due - inCycle + REPAIRS.from;
  return inCycle > REPAIRS.to ? due - inCycle + CYCLE + REPAIRS.from : due;
}

/** Ten minutes of full load through queues of a second: how often a gateway was taken for dead. */
export async function falseAlarms(house: Household, seconds: number): Promise<Sample> {
  await house.lanesUp(4, 60_000);
  const from = house.homeDaemon.stderr.length;
  const timeline = await Timeline.start(house, "get", seconds);
  const { content, bps } = await timeline.result();
  if (content !== "good") throw new Error(`the transfer was ${content}`);
  const told = house.homeDaemon.stderr
    .slice(from)
    .split("\n")
    .filter((line) => /: (suspect|down|holding)/.test(line));
  for (const line of told) console.log(line);
  return { value: told.length, mbps: bps / MEGA };
}
