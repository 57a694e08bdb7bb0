import type { Connection, Subflow } from "./subflows.ts";

/** A connection lacks a lane that it had if it does so in looks this far apart at least (ms): joining takes some round trips. */
const LACKS_FOR = 4_000;
/** One that it never had it lacks after so long (ms): the kernel itself asks again after 1, 3 and 7 s. */
const ASKED_FOR = 12_000;
/** While more connections use the lane than lack it, they are left alone for so long (ms): healing it takes it from them for a moment. */
const FEW_LACK_FOR = 60_000;
/** A lane is healed this often at first (ms), and ever more seldom while that does not help. */
const HEAL_EVERY = 10_000;
const HEAL_SELDOM = 3_600_000;
/** After so many attempts that changed nothing somebody is told. */
const TELL_AFTER = 1;
/** What was seen of plain TCP is believed for so long (ms): then a connection may begin there again. */
const PLAIN_FOR = 600_000;

/** A connection without a subflow is given up when none has joined after so long (ms). */
export const LOST_AFTER = 2_000;

export interface Orphans {
  readonly found: readonly Connection[];
  readonly lost: readonly Connection[];
}

interface Lack {
  readonly since: number;
  /** From when on it counts. */
  readonly due: number;
}

interface Attempts {
  readonly at: number;
  /** Attempts since the lane last had all that it should. */
  readonly vain: number;
}

/**
 * Finds subflows that are not there though their lane lives: the kernel asks for each once and never again, and one that ended stays
 * away. A lane that lacks some is to be healed: its endpoint removed and added, which asks anew for every connection. Monotonic ms.
 */
export class Healing {
  /** By token and lane's address. */
  #lacking = new Map<string, Map<string, Lack>>();
  /** The lanes that connections had at the last look. */
  #had: ReadonlyMap<string, Set<string>> = new Map();
  readonly #attempts = new Map<string, Attempts>();
  /** When each connection was first seen, by its address and port. */
  #seen = new Map<string, number>();
  /** Connections without a subflow, by their tokens: since when. */
  #without = new Map<string, number>();
  /** By lane's address: when the last connection began there as plain TCP, and as MPTCP. */
  readonly #began = { plain: new Map<string, number>(), first: new Map<string, number>() };

  /**
   * After a look at the subflows: the address of the live lane to be healed now; undefined: none. `live`: of all that carry, those first
   * that are best disturbed. One at a time, as what a lane carries goes by the others meanwhile.
   */
  look(now: number, subflows: readonly Subflow[], live: readonly string[]): string | undefined {
    const seen = new Map<string, number>();
    for (const { address, port, kind } of subflows) {
      const key = `${address}:${String(port)}`;
      seen.set(key, this.#seen.get(key) ?? now);
      if (kind !== "joined" && !this.#seen.has(key)) this.#began[kind].set(address, now);
    }
    this.#seen = seen;
    const connections = lanesOf(subflows);
    const lacking = new Map(
      [...connections].map(([token, has]) => {
        const before = this.#lacking.get(token);
        const had = this.#had.get(token);
        const begun = (address: string): Lack => ({ since: now, due: now + (had?.has(address) === true ? LACKS_FOR : ASKED_FOR) });
        const lacks = live
          .filter((address) => !has.has(address))
          .map((address) => [address, before?.get(address) ?? begun(address)] as const);
        return [token, new Map(lacks)] as const;
      }),
    );
    this.#lacking = lacking;
    this.#had = connections;
    const found = live.filter((address) => {
      const lacks = [...lacking.values()].flatMap((lanes) => lanes.get(address) ?? []);
      if (lacks.length === 0) {
        // Nobody to join says nothing.
        const former = this.#attempts.get(address);
        if (connections.size > 0 && former !== undefined) this.#attempts.set(address, { at: former.at, vain: 0 });
        return false;
      }
      const lack = lacks.filter(({ due }) => now >= due).length;
      const use = [...connections.values()].filter((has) => has.has(address)).length;
      if (lack === 0 || (lack < use && !lacks.some(({ since }) => now - since >= FEW_LACK_FOR))) return false;
      if (dependants(connections, address) > 0) return false;
      const former = this.#attempts.get(address);
      const pause = Math.min(HEAL_SELDOM, HEAL_EVERY * 2 ** Math.max(0, (former?.vain ?? 0) - TELL_AFTER));
      return former === undefined || now - former.at >= pause;
    })[0];
    if (found !== undefined) this.#attempts.set(found, { at: now, vain: (this.#attempts.get(found)?.vain ?? 0) + 1 });
    return found;
  }

  /**
   * Of all these connections those that have no subflow left. The kernel keeps them for a minute (net.mptcp.close_timeout), and takes them
   * up again if a subflow joins, which it asks for when an endpoint is new: `found` are those to be helped so. Those that lost their first
   * subflow before it had heard from the peer can't be joined: `lost` are those that were helped in vain.
   */
  orphans(now: number, connections: readonly Connection[], subflows: readonly Subflow[]): Orphans {
    const having = new Set(subflows.flatMap(({ token, address, port }) => [token, `${address}:${String(port)}`]));
    // One that fell back to plain TCP just now may still be listed with its token.
    const without = connections.filter(({ token, source }) => !having.has(token) && !having.has(source));
    const before = this.#without;
    this.#without = new Map(without.map(({ token }) => [token, before.get(token) ?? now]));
    return {
      found: without.filter(({ token }) => !before.has(token)),
      lost: without.filter(({ token }) => now - (before.get(token) ?? now) >= LOST_AFTER),
    };
  }

  /** Whether connections without a subflow were seen at the last look. */
  get waits(): boolean {
    return this.#without.size > 0;
  }

  /**
   * The lane by which those `found` to be without a subflow are to be given one: one of `live`, those first that are best disturbed, that
   * no other connection depends on, or fewer than are helped. Undefined: none.
   */
  helper(found: number, subflows: readonly Subflow[], live: readonly string[]): string | undefined {
    const connections = lanesOf(subflows);
    const losses = live.map((address) => ({ address, lost: dependants(connections, address) }));
    const least = losses.sort((a, b) => a.lost - b.lost)[0];
    return least !== undefined && least.lost < found ? least.address : undefined;
  }

  /** A lane's endpoint is new: all that lacked it was asked for again. */
  renewed(address: string): void {
    for (const lanes of this.#lacking.values()) lanes.delete(address);
    for (const lanes of this.#had.values()) lanes.delete(address);
  }

  /** Whether connections that begin at this lane use it alone, and for what reason others can't use it; for a person, or empty. */
  complaint(now: number, address: string): string {
    const plain = this.#began.plain.get(address) ?? Number.NEGATIVE_INFINITY;
    if (now - plain < PLAIN_FOR && plain >= (this.#began.first.get(address) ?? Number.NEGATIVE_INFINITY))
      return "connections that begin here are plain TCP and can't use other gateways: something on the way takes MPTCP's options away";
    if ((this.#attempts.get(address)?.vain ?? 0) > TELL_AFTER)
      return "connections can't be joined here: something on the way drops new ones, or takes MPTCP's options away";
    return "";
  }
}

/** The connections' lanes, by their addresses. */
export function lanesOf(subflows: readonly Subflow[]): ReadonlyMap<string, Set<string>> {
  const connections = new Map<string, Set<string>>();
  for (const { address, token } of subflows) {
    if (token !== "") connections.set(token, (connections.get(token) ?? new Set()).add(address));
  }
  return connections;
}

/** How many connections have this lane alone: those that begin just now could not be joined by another if they lost it. */
export const dependants = (connections: ReadonlyMap<string, ReadonlySet<string>>, address: string): number =>
  [...connections.values()].filter((has) => has.size === 1 && has.has(address)).length;
