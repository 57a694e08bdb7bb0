import { type LinkMessage, NO_TOKEN } from "./message.ts";

/** What the relay knows of one home by its probes. */
export interface Claim {
  /** The home's daemon that is believed. */
  readonly boot: string;
  readonly counter: number;
  /** Bit i: lane i is live. */
  readonly live: number;
  /** By lane number, what the home says of those that it has sent a probe by. */
  readonly lanes: ReadonlyMap<number, Pick<LinkMessage, "mtu" | "window">>;
  readonly need: LinkMessage["need"];
  /** Boots that were believed before. One that comes back is another router with the same invite. */
  readonly former: readonly string[];
  readonly twice: boolean;
}

export interface ClaimState {
  readonly claim: Claim | undefined;
  /** Challenges that are out, by lane: a new boot is believed when it brings the token back over the same lane. */
  readonly challenges: ReadonlyMap<number, { readonly boot: string; readonly token: string }>;
}

export const noClaim: ClaimState = { claim: undefined, challenges: new Map() };

export type ClaimAnswer =
  | { readonly state: ClaimState; readonly reply: "echo" }
  | { readonly state: ClaimState; readonly reply: "challenge"; readonly token: string };

const FORMER_KEPT = 8;

/**
 * What a probe changes. `lane` is the one it came by, told by its source address; `freshToken` is used if a challenge is due.
 * A probe that is old, replayed, or of an unknown daemon changes nothing of the claim.
 */
export function hearProbe(state: ClaimState, probe: LinkMessage, lane: number, freshToken: string): ClaimAnswer {
  const { claim, challenges } = state;
  if (claim !== undefined && probe.boot === claim.boot) {
    if (probe.counter <= claim.counter) return { state, reply: "echo" };
    return { state: { claim: renewed(claim, probe, lane), challenges }, reply: "echo" };
  }
  const challenge = challenges.get(lane);
  const known = challenge?.boot === probe.boot ? challenge : undefined;
  if (known !== undefined && probe.token === known.token && probe.token !== NO_TOKEN) {
    const former = claim === undefined ? [] : [claim.boot, ...claim.former.filter((boot) => boot !== probe.boot)].slice(0, FORMER_KEPT);
    const twice = claim !== undefined && claim.former.includes(probe.boot);
    const { boot, counter, live, mtu, window, need } = probe;
    const next: Claim = { boot, counter, live, lanes: new Map([[lane, { mtu, window }]]), need, former, twice };
    return { state: { claim: next, challenges: new Map() }, reply: "echo" };
  }
  const token = known?.token ?? freshToken;
  return { state: { claim, challenges: new Map([...challenges, [lane, { boot: probe.boot, token }]]) }, reply: "challenge", token };
}

function renewed(claim: Claim, probe: LinkMessage, lane: number): Claim {
  const { counter, live, need, mtu, window } = probe;
  const known = claim.lanes.get(lane);
  const lanes = known?.mtu === mtu && known.window === window ? claim.lanes : new Map([...claim.lanes, [lane, { mtu, window }]]);
  return { ...claim, counter, live, need, lanes };
}
