/** What can be done to a household at a random moment. */
export type FaultKind =
  | "cut"
  | "cut up"
  | "cut down"
  | "lossy"
  | "slow"
  | "unplugged"
  | "NAT forgotten"
  | "OpenVPN killed"
  | "reload"
  | "daemon killed"
  | "relay's daemon killed";

export interface ScheduledFault {
  readonly kind: FaultKind;
  /** Number of the gateway; 0: the household. */
  readonly gateway: number;
  /** Seconds from the beginning, and how long. */
  readonly at: number;
  readonly lasts: number;
}

const ofGateways: readonly FaultKind[] = [
  "cut",
  "cut",
  "cut up",
  "cut down",
  "lossy",
  "slow",
  "unplugged",
  "NAT forgotten",
  "OpenVPN killed",
];
/** Daemons end in the first half alone: what they hold is compared in the second. */
const ofDaemons: readonly FaultKind[] = ["reload", "daemon killed", "relay's daemon killed"];

/** A generator of numbers from 0 to 1, the same for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Faults for so many seconds, in their order. At every moment one gateway at least has been well for a while (a gateway that just came
 * back is not trusted yet), and all are well in the last seconds.
 */
export function scheduleFaults(seed: number, seconds: number, gateways: number): readonly ScheduledFault[] {
  const random = randomFrom(seed);
  const whole = (below: number): number => Math.floor(random() * below);
  const pick = <T>(list: readonly T[], otherwise: T): T => list[whole(list.length)] ?? otherwise;
  const faults: ScheduledFault[] = [];
  const SETTLES = 4;
  const END = 10;
  for (let at = 2; at < seconds - END; at += 0.5 + random() * 4) {
    if (random() < 0.15) {
      const kind = at < seconds / 2 - 2 ? pick(ofDaemons, "reload") : "reload";
      faults.push({ kind, gateway: 0, at, lasts: 0 });
      continue;
    }
    const ill = new Set(faults.filter((fault) => fault.gateway > 0 && at < fault.at + fault.lasts + SETTLES).map(({ gateway }) => gateway));
    if (ill.size >= gateways - 1) continue;
    const well = Array.from({ length: gateways }, (_, index) => index + 1).filter((number) => !ill.has(number));
    const lasts = random() < 0.3 ? 0.1 + random() : 1 + random() * 8;
    faults.push({ kind: pick(ofGateways, "cut"), gateway: pick(well, 1), at, lasts: Math.min(lasts, seconds - END - at) });
  }
  return faults;
}
