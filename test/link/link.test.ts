import fc from "fast-check";
import { hearProbe, noClaim } from "../../src/link/claims.ts";
import { decodeMessage, encodeMessage, HEADER_SIZE, type LinkMessage, NO_TOKEN } from "../../src/link/message.ts";
import { addSample, lateAfter } from "../../src/link/round-trip.ts";
import { test } from "../harness/index.ts";

const hex16 = fc.stringMatching(/^[0-9a-f]{16}$/);
const message: fc.Arbitrary<LinkMessage> = fc.record({
  type: fc.constantFrom("probe" as const, "echo" as const, "challenge" as const),
  lane: fc.integer({ min: 1, max: 15 }),
  live: fc.integer({ min: 0, max: 0xffff }),
  boot: hex16,
  counter: fc.integer({ min: 0, max: 0xffffffff }),
  sent: fc.integer({ min: 0, max: 0xffffffff }),
  token: hex16,
  mtu: fc.integer({ min: 0, max: 0xffff }),
  twice: fc.boolean(),
  restarted: fc.integer({ min: 0, max: 0x7fff }).map((bits) => bits << 1),
  need: fc.record({ reserved: fc.integer({ min: 0, max: 0xffffffff }), alone: fc.integer({ min: 0, max: 0xffffffff }) }),
  window: fc.integer({ min: 0, max: 0xffff }),
});

test("every message is read as it was written, at any size", (t) => {
  fc.assert(
    fc.property(message, fc.integer({ min: 0, max: 1500 }), (given, size) => {
      const bytes = encodeMessage(given, size);
      return bytes.length === Math.max(HEADER_SIZE, size) && JSON.stringify(decodeMessage(bytes)) === JSON.stringify(given);
    }),
  );
  t.throws(() =>
    encodeMessage(
      {
        type: "probe",
        lane: 1,
        live: 0,
        boot: "x",
        counter: 0,
        sent: 0,
        token: NO_TOKEN,
        mtu: 0,
        twice: false,
        restarted: 0,
        need: { reserved: 0, alone: 0 },
        window: 0,
      },
      HEADER_SIZE,
    ),
  );
});

test("mutated and foreign datagrams are refused or are messages in range; none breaks the reader", (t) => {
  fc.assert(
    fc.property(
      message,
      fc.array(fc.tuple(fc.nat(HEADER_SIZE - 1), fc.nat(255)), { maxLength: 4 }),
      fc.nat(HEADER_SIZE),
      (given, changes, length) => {
        const bytes = encodeMessage(given, HEADER_SIZE);
        for (const [at, value] of changes) bytes[at] = value;
        const read = decodeMessage(bytes.slice(0, length));
        return length < HEADER_SIZE ? read === undefined : read === undefined || (read.lane >= 1 && read.lane <= 15);
      },
    ),
    { numRuns: 2000 },
  );
  fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => decodeMessage(bytes) === undefined || bytes[0] === 0x42));
  t.pass();
});

const A = "aaaaaaaaaaaaaaaa";
const B = "bbbbbbbbbbbbbbbb";
const T = "1234567890abcdef";
const probe = (boot: string, counter: number, live: number, token = NO_TOKEN): LinkMessage => ({
  ...{
    type: "probe",
    lane: 1,
    live,
    boot,
    counter,
    sent: 0,
    token,
    mtu: 1400,
    twice: false,
    restarted: 0,
    need: { reserved: 0, alone: 0 },
    window: 0,
  },
});

function joined(boot: string, counter: number, live: number) {
  const first = hearProbe(noClaim, probe(boot, counter, live), 1, T);
  return hearProbe(first.state, probe(boot, counter + 1, live, T), 1, "f".repeat(16)).state;
}

test("a home is believed after one challenge over the same lane", (t) => {
  const first = hearProbe(noClaim, probe(A, 1, 2), 1, T);
  t.same([first.reply, first.state.claim], ["challenge", undefined]);
  const elsewhere = hearProbe(first.state, probe(A, 2, 2, T), 2, "2".repeat(16));
  t.equal(elsewhere.reply, "challenge", "the token of another lane is worth nothing");
  const guessed = hearProbe(first.state, probe(A, 2, 2, "0000000000000001"), 1, "3".repeat(16));
  t.equal(guessed.reply, "challenge", "a guessed token is worth nothing");
  const right = hearProbe(first.state, probe(A, 2, 2, T), 1, "4".repeat(16));
  t.same([right.reply, right.state.claim?.live], ["echo", 2]);
});

test("old, replayed and foreign claims change nothing", (t) => {
  const state = joined(A, 10, 0b110);
  for (const [what, stale] of [
    ["replayed", probe(A, 11, 0)],
    ["older", probe(A, 3, 0)],
    ["of an unknown boot", probe(B, 999, 0)],
    ["of an unknown boot with no token", probe(B, 999, 0, NO_TOKEN)],
  ] as const)
    t.equal(hearProbe(state, stale, 1, T).state.claim?.live, 0b110, what);
  t.equal(hearProbe(state, probe(A, 12, 0b10), 2, T).state.claim?.live, 0b10, "a newer one counts, by any lane");
});

test("a daemon that was believed before and comes back is a second router with the same invite", (t) => {
  let state = joined(A, 1, 2);
  const replaced = (boot: string): void => {
    const asked = hearProbe(state, probe(boot, 50, 2), 1, T);
    state = hearProbe(asked.state, probe(boot, 51, 2, T), 1, T).state;
  };
  replaced(B);
  t.equal(state.claim?.twice, false, "a restart is none");
  replaced(A);
  t.equal(state.claim?.twice, true);
});

test("round trip and loss are estimated as RFC 6298 says", (t) => {
  const first = addSample(undefined, 100);
  t.same(first, { smoothed: 100, variation: 50 });
  t.same(addSample(first, 200), { smoothed: 112.5, variation: 62.5 });
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1e5, noNaN: true }), { minLength: 1 }), (samples) => {
      const end = samples.reduce<ReturnType<typeof addSample> | undefined>((estimate, sample) => addSample(estimate, sample), undefined);
      return (
        end !== undefined &&
        end.smoothed <= Math.max(...samples) + 1e-6 &&
        end.smoothed >= Math.min(...samples) - 1e-6 &&
        end.variation >= 0
      );
    }),
  );
  t.equal(lateAfter({ smoothed: 600, variation: 100 }), 1_000);
  t.equal(lateAfter({ smoothed: 1, variation: 0 }), 60);
  t.equal(lateAfter(undefined), 1_000);
});
