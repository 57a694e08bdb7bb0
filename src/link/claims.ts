import { type LinkMessage, NO_TOKEN } from "./message.ts";

/** What the relay knows of one home by its probes. */
export interface Claim {
  /** The home's daemon that is believed. */
  readonly boot: string;
  readonly counter: number;
  /** Bit i: lane i is live. */
  readonly live: number;
  /** MTU by lane number, as the home has it. */
  readonly mtus: ReadonlyMap<number, number>;
  /** Boots that were believed before. One that comes back is another router with the same invite. */
  readonly former: readonly string[];
  readonly twice: boolean;
}

export interface ClaimState {
  readonly claim: Claim | undefined;
  /** The challenge that is out: a new boot is believed when it brings the token back over the same lane. */
  readonly challenge: { readonly boot: string; readonly lane: number; readonly token: string } | undefined;
}

export const noClaim: ClaimState = { claim: undefined, challenge: undefined };

export type ClaimAnswer =
  | { readonly state: ClaimState; readonly reply: "echo" }
  | { readonly state: ClaimState; readonly reply: "challenge"; readonly token: string };

const FORMER_KEPT = 8;

/**
 * What a probe changes. `lane` is the one it came by, told by its source address; `freshToken` is used if a challenge is due.
 * A probe that is old, replayed, or of an unknown daemon changes nothing of the claim.
 */
export function hearProbe(state: ClaimState, probe: LinkMessage, lane: number, freshToken: string): ClaimAnswer {
  const { claim, challenge } = state;
  if (claim !== undefined && probe.boot === claim.boot) {
    if (probe.counter <= claim.counter) return { state, reply: "echo" };
    return { state: { claim: renewed(claim, probe, lane), challenge }, reply: "echo" };
  }
  const answered = challenge !== undefined && challenge.boot === probe.boot && challenge.lane === lane;
  if (answered && probe.token === challenge.token && probe.token !== NO_TOKEN) {
    const former = claim === undefined ? [] : [claim.boot, ...claim.former.filter((boot) => boot !== probe.boot)].slice(0, FORMER_KEPT);
    const twice = claim !== undefined && claim.former.includes(probe.boot);
    const next: Claim = { boot: probe.boot, counter: probe.counter, live: probe.live, mtus: new Map([[lane, probe.mtu]]), former, twice };
    return { state: { claim: next, challenge: undefined }, reply: "echo" };
  }
  const token = answered ? challenge.token : freshToken;
  return { state: { claim, challenge: { boot: probe.boot, lane, token } }, reply: "challenge", token };
}

function renewed(claim: Claim, probe: LinkMessage, lane: number): Claim {
  const mtus = claim.mtus.get(lane) === probe.mtu ? claim.mtus : new Map([...claim.mtus, [lane, probe.mtu]]);
  return { ...claim, counter: probe.counter, live: probe.live, mtus };
}
