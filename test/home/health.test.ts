import fc from "fast-check";
import type { GatewayStateName } from "../../src/control/types.ts";
import { carries, type Health, type LaneObservation, nextHealth, probeInterval, suspiciousSilence } from "../../src/home/health.ts";
import { flapped, holdTime, steady } from "../../src/home/hold.ts";
import { Lateness } from "../../src/home/lateness.ts";
import { test } from "../harness/index.ts";

const NOW = 1_000_000;
const well: LaneObservation = {
  now: NOW,
  wanted: true,
  lastHeard: NOW - 10,
  unansweredSince: undefined,
  unanswered: 0,
  unechoedSince: undefined,
  pausedFor: undefined,
  roundTrip: { smoothed: 20, variation: 5 },
  fullSizePasses: true,
  poor: "",
  poorSince: undefined,
  dependedOn: false,
  lateness: 0,
  anotherFell: false,
  othersHeard: NOW - 5,
  cutOff: "",
  complaint: "",
};
const health = (state: GatewayStateName, lasted = 20_000, flaps = 0): Health => ({
  state,
  since: NOW - lasted,
  reason: state === "up" || state === "standby" ? "" : "before",
  flaps,
});
/** Nothing came for so long (ms), though it was asked `probes` times, first right after. */
const silent = (ms: number, probes: number): LaneObservation => ({
  ...well,
  lastHeard: NOW - ms,
  unansweredSince: NOW - ms + 40,
  unechoedSince: NOW - ms + 40,
  unanswered: probes,
});
const after = (from: Health, seen: LaneObservation): GatewayStateName => nextHealth(from, seen).state;

test("a lane that is well carries, or stands by if it is not wanted", (t) => {
  for (const state of ["up", "standby"] as const) {
    t.equal(after(health(state), well), "up");
    t.equal(after(health(state), { ...well, wanted: false }), "standby");
  }
  t.same(
    ["disabled", "starting", "up", "suspect", "down", "holding", "standby"].filter((state) => carries(state as GatewayStateName)),
    ["up"],
  );
  t.equal(nextHealth(health("disabled"), silent(9_000, 9)).state, "disabled");
});

test("a lane that falls silent while another speaks is taken from the connections within 150 ms, or its own round trip", (t) => {
  t.equal(after(health("up"), silent(140, 2)), "up");
  t.equal(after(health("up"), silent(160, 2)), "suspect");
  t.match(nextHealth(health("up"), silent(160, 2)), { reason: "no answer for 160 ms", flaps: 1 });
  const slow = { smoothed: 600, variation: 50 };
  t.equal(after(health("up"), { ...silent(700, 9), roundTrip: slow }), "up", "an answer may still be on its way");
  t.equal(after(health("up"), { ...silent(900, 9), roundTrip: slow }), "suspect");
  t.equal(suspiciousSilence({ roundTrip: slow, lateness: 0 }), 800);
  t.equal(after(health("up"), { ...silent(5_000, 0), unansweredSince: undefined, unechoedSince: undefined }), "up", "nobody asked");
  t.equal(
    after(health("up"), { ...silent(5_000, 1), unansweredSince: NOW - 30, unechoedSince: NOW - 30 }),
    "up",
    "idle for long, and only just asked",
  );
  t.equal(after(health("standby"), { ...silent(160, 2), wanted: false }), "suspect");
});

test("a lane that some connection has alone is asked more often before it is taken from all", (t) => {
  const alone = (probes: number): LaneObservation => ({ ...silent(260, probes), dependedOn: true });
  t.equal(after(health("up"), alone(11)), "up");
  t.equal(after(health("up"), alone(12)), "suspect");
  t.equal(after(health("up"), { ...alone(2), cutOff: "its interface wan1 is down or unplugged" }), "down", "nothing is to be asked");
});

test("where much came in, a probe that was under way when it stopped tells as soon as its answer is late", (t) => {
  const far = { smoothed: 150, variation: 12 };
  // Paused for so long, and the oldest probe without an echo sent so long ago; the one since the pause is not late yet.
  const stopped = (paused: number, open: number, roundTrip = far): LaneObservation => ({
    ...silent(paused, 2),
    unechoedSince: NOW - open,
    pausedFor: paused,
    roundTrip,
  });
  t.equal(after(health("up"), stopped(160, 210)), "suspect");
  t.equal(after(health("up"), { ...stopped(160, 210), pausedFor: undefined }), "up", "little came in");
  t.equal(after(health("up"), stopped(160, 190)), "up", "its answer may be under way");
  t.equal(after(health("up"), stopped(140, 400)), "up", "a probe was lost, and bytes came just now");
  t.equal(after(health("up"), { ...stopped(160, 210), othersHeard: NOW - 170 }), "up", "all are silent");
  t.equal(after(health("up"), { ...stopped(160, 210), lateness: 30 }), "up", "this machine is late");
  t.equal(after(health("up"), stopped(500, 790, { smoothed: 600, variation: 40 })), "up", "no round trip has gone by");
  t.equal(after(health("up"), stopped(610, 790, { smoothed: 600, variation: 40 })), "suspect");
});

test("a silence of all lanes is no fault of one: it is waited for", (t) => {
  t.equal(after(health("up"), { ...silent(160, 2), othersHeard: NOW - 190 }), "up", "the others were not heard since, either");
  t.equal(after(health("up"), { ...silent(160, 2), othersHeard: NOW - 110 }), "up", "or only by what was on its way");
  t.equal(after(health("up"), { ...silent(1_000, 9), othersHeard: undefined }), "up", "it is the only one");
  t.equal(after(health("up"), { ...silent(3_100, 9), othersHeard: NOW - 3_100 }), "down");
  t.equal(after(health("up"), { ...silent(3_100, 9), othersHeard: undefined, complaint: "AUTH_FAILED" }), "down");
});

test("a lane that hears and is not heard is deaf, whatever comes in by it", (t) => {
  const deaf = { ...well, unechoedSince: NOW - 1_100, unansweredSince: NOW - 20, unanswered: 1 };
  t.equal(after(health("up"), deaf), "suspect");
  t.equal(after(health("up"), { ...deaf, unechoedSince: NOW - 900 }), "up");
  t.equal(after(health("up"), { ...deaf, othersHeard: undefined }), "up", "better than none");
  t.equal(after(health("holding"), deaf), "down");
});

test("a lane that loses or lags is held back while others carry, and only then", (t) => {
  const poor = { ...well, poor: "it loses 30 % of packets", poorSince: NOW - 600 };
  t.match(nextHealth(health("up"), poor), { state: "holding", reason: poor.poor, flaps: 1 });
  t.equal(after(health("up"), { ...poor, poorSince: NOW - 400 }), "up", "what has just begun there is joined by others meanwhile");
  t.equal(after(health("up"), { ...poor, poorSince: NOW - 3_900, dependedOn: true }), "up", "some connection has no other yet");
  t.equal(after(health("up"), { ...poor, poorSince: NOW - 4_100, dependedOn: true }), "holding", "but not for ever");
  t.equal(after(health("up"), { ...poor, othersHeard: undefined }), "up");
  t.equal(after(health("holding", 900_000), poor), "holding", "for as long as it does");
  t.equal(after(health("holding"), { ...poor, othersHeard: undefined }), "up", "a poor gateway is better than none");
  t.equal(after(health("holding"), well), "up");
  t.equal(after(health("starting"), poor), "holding");
});

test("a lane that answers again is held, ever longer the more it flaps", (t) => {
  for (const state of ["suspect", "down"] as const) {
    t.equal(after(health(state), well), "holding", state);
    t.equal(after(health(state), { ...well, fullSizePasses: false }), state, "only small packets pass");
    t.match(nextHealth(health(state), { ...well, fullSizePasses: false }).reason, /largest packet/);
    t.equal(after(health(state, 5), well), state, "what came before it fell counts for nothing");
  }
  t.equal(after(health("starting"), well), "up", "a new one is not held");
  t.equal(after(health("holding", 99), well), "holding");
  t.equal(after(health("holding", 101), well), "up");
  t.equal(after(health("holding", 390, 3), well), "holding");
  t.equal(after(health("holding", 410, 3), well), "up");
  t.equal(after(health("holding"), silent(300, 4)), "holding", "a silent moment keeps it from coming up, no more");
  t.equal(after(health("holding"), silent(500, 4)), "down");
  t.same([0, 1, 2, 3, 11, 12].map(holdTime), [100, 100, 200, 400, 102_400, 120_000]);
  t.equal(flapped(3, 4_000), 4, "a short life");
  t.equal(flapped(3, 65_000), 1, "a long one");
  t.equal(steady(5, 19_000), 2);
});

test("a lane whose interface is down is down at once", (t) => {
  const cutOff = { ...well, cutOff: "its interface wan1 is down or unplugged" };
  for (const state of ["up", "standby", "suspect", "holding"] as const)
    t.match(nextHealth(health(state), cutOff), { state: "down", reason: cutOff.cutOff }, state);
  for (const state of ["starting", "down"] as const) t.match(nextHealth(health(state), cutOff), { state, reason: cutOff.cutOff }, state);
  t.equal(after(health("down"), well), "holding", "up again");
});

test("a silent lane is down after a while, and says why", (t) => {
  t.equal(after(health("suspect"), silent(350, 4)), "suspect");
  t.match(nextHealth(health("suspect"), silent(500, 4)), { state: "down", reason: /does not answer/ });
  t.match(nextHealth(health("suspect"), { ...silent(500, 4), complaint: "Cannot resolve host" }), { reason: "Cannot resolve host" });
  t.match(nextHealth(health("down"), { ...silent(9_000, 9), complaint: "new" }), { reason: "new", since: NOW - 20_000 });
  t.match(nextHealth(health("starting"), { ...silent(9_000, 9), complaint: "AUTH_FAILED" }), { state: "starting", reason: "AUTH_FAILED" });
});

test("health stays the same object while nothing changes", (t) => {
  const up = health("up");
  t.equal(nextHealth(up, well), up);
  const holding: Health = { ...health("holding", 50), reason: "it answers again" };
  t.equal(nextHealth(holding, well), holding);
});

test("what falls silent together is taken away together", (t) => {
  t.equal(after(health("up"), silent(120, 1)), "up");
  t.equal(after(health("up"), { ...silent(120, 1), anotherFell: true }), "suspect");
  t.equal(after(health("up"), { ...silent(100, 1), anotherFell: true }), "up", "it may speak yet");
  t.equal(after(health("up"), { ...silent(120, 1), anotherFell: true, unansweredSince: NOW - 20 }), "up", "it was hardly asked");
});

test("a machine that is late itself takes so much longer to suspect a lane", (t) => {
  const late = { ...silent(300, 2), lateness: 250 };
  t.equal(after(health("up"), { ...late, lateness: 0 }), "suspect");
  t.equal(after(health("up"), late), "up");
  t.equal(after(health("up"), { ...silent(340, 2), unansweredSince: NOW - 320, lateness: 250 }), "up", "though it was asked for long");
  t.equal(after(health("up"), { ...silent(420, 2), lateness: 250 }), "suspect");
  const lateness = new Lateness();
  lateness.see(1_000, 995);
  t.equal(lateness.value(1_000), 0, "as late as any");
  lateness.see(2_000, 1_600);
  t.equal(lateness.value(2_000), 400);
  lateness.see(2_020, 2_015);
  t.ok(lateness.value(2_020) > 390, "once in time does not make it punctual");
  t.equal(lateness.value(3_000), 200);
  t.equal(lateness.value(9_000), 0);
});

test("whatever is seen, a lane ends in a known state, and never carries unwanted or small", (t) => {
  const states: readonly GatewayStateName[] = ["starting", "up", "suspect", "down", "holding", "standby"];
  const moment = fc.option(fc.integer({ min: NOW - 20_000, max: NOW }), { nil: undefined });
  const seen = fc.record<LaneObservation>({
    now: fc.constant(NOW),
    wanted: fc.boolean(),
    lastHeard: moment,
    unansweredSince: moment,
    unanswered: fc.nat(20),
    unechoedSince: moment,
    pausedFor: fc.option(fc.nat(5_000), { nil: undefined }),
    roundTrip: fc.option(fc.record({ smoothed: fc.integer({ min: 1, max: 2_000 }), variation: fc.integer({ min: 0, max: 500 }) }), {
      nil: undefined,
    }),
    fullSizePasses: fc.boolean(),
    poor: fc.constantFrom("", "it loses 30 % of packets"),
    poorSince: moment,
    dependedOn: fc.boolean(),
    lateness: fc.nat(1_000),
    anotherFell: fc.boolean(),
    othersHeard: moment,
    cutOff: fc.constantFrom("", "its interface wan1 is down or unplugged"),
    complaint: fc.constantFrom("", "AUTH_FAILED"),
  });
  fc.assert(
    fc.property(fc.constantFrom(...states), fc.nat(60_000), fc.nat(10), seen, (state, lasted, flaps, observation) => {
      const next = nextHealth(health(state, lasted, flaps), observation);
      const enters = carries(next.state) && !carries(state);
      return (
        states.includes(next.state) &&
        next.flaps >= 0 &&
        (!carries(next.state) || observation.wanted) &&
        (!enters || state === "standby" || state === "holding" || observation.fullSizePasses)
      );
    }),
  );
  t.pass();
});

test("idle lanes are probed five times a minute, loaded and doubtful ones all the time, absent ones ever more seldom", (t) => {
  const roundTrip = { smoothed: 20, variation: 5 };
  const need = { state: "up", lasted: 60_000, loaded: false, doubtful: false, late: false, roundTrip } as const;
  t.equal(probeInterval(need), 12_000);
  t.equal(probeInterval({ ...need, loaded: true }), 100);
  t.equal(probeInterval({ ...need, doubtful: true }), 50);
  t.equal(probeInterval({ ...need, late: true }), 15);
  const slow = { smoothed: 900, variation: 60 };
  t.equal(probeInterval({ ...need, loaded: true, roundTrip: slow }), 100, "that nothing arrives is told by many probes");
  t.equal(probeInterval({ ...need, doubtful: true, roundTrip: slow }), 100);
  t.equal(probeInterval({ ...need, late: true, roundTrip: slow }), 50);
  t.equal(probeInterval({ ...need, state: "down", lasted: 1_000 }), 50);
  t.equal(probeInterval({ ...need, state: "down", lasted: 60_000 }), 600);
  t.equal(probeInterval({ ...need, state: "down", lasted: 86_400_000 }), 5_000);
});
