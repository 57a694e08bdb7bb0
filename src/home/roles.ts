import { MAX_SUBFLOWS } from "../plan/numbers.ts";

/** What of a gateway decides whether it carries. */
export interface Candidate {
  readonly number: number;
  /** 1 carries first; higher ones stand by. */
  readonly priority: number;
  readonly weight: number;
  /** It could carry now, or does. */
  readonly well: boolean;
  /** It has used up its quota: it carries only if nothing else does. */
  readonly spent: boolean;
}

/**
 * The numbers of the gateways that are to carry when they are well. Those of the lowest priority number of which any is well, the
 * kernel's eight at the most, heaviest first; the rest stand by. A gateway that is not well keeps its place only while none that is
 * well waits for it.
 */
export function carriers(candidates: readonly Candidate[]): ReadonlySet<number> {
  const rank = ({ priority, spent }: Candidate): number => priority + (spent ? 1_000_000 : 0);
  const ranks = candidates.filter(({ well }) => well).map(rank);
  const first = ranks.length === 0 ? Math.min(...candidates.map(rank)) : Math.min(...ranks);
  // Of a better rank than those that are well now, each is taken as soon as it is back.
  const chosen = candidates.filter((candidate) => rank(candidate) <= first);
  const order = [...chosen].sort(
    (a, b) => Number(b.well) - Number(a.well) || rank(a) - rank(b) || b.weight - a.weight || a.number - b.number,
  );
  const carrying = order.slice(0, MAX_SUBFLOWS);
  return new Set(carrying.map(({ number }) => number));
}
