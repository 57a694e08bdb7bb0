import type { Clock, Host } from "../host/types.ts";
import { isAborted } from "../process/aborted.ts";
import { backOff } from "../process/back-off.ts";
import type { Ownership } from "./state.ts";

/** Events of one cause come in a bunch; this many milliseconds gather them. */
const GATHER = 50;
/** Two calls are this many milliseconds apart at the least. */
const GAP = 300;
/** So many calls may follow each other at that pace; then one each REFILL milliseconds, lest two programs undo each other for ever. */
const BURST = 10;
const REFILL = 3_000;
/** A monitor that lived this many milliseconds counts as sound. */
const SOUND = 60_000;
const LONGEST_PAUSE = 30_000;

/** Called at once for every link that the kernel tells something of. */
export type OnLink = (name: string, works: boolean) => void;

/**
 * Calls `onChange` soon after somebody changed rules, routes, addresses or links that may concern Binder; Binder's own changes too. MPTCP
 * endpoints, nft and sysctls tell nobody, so a sweep from time to time is needed all the same. Ends when the signal fires.
 */
export async function watchKernel(
  host: Host,
  ownership: Ownership,
  signal: AbortSignal,
  onChange: () => void,
  onLink: OnLink = () => undefined,
): Promise<void> {
  const alarm = new Alarm(host.clock, signal, onChange);
  let failures = 0;
  while (!signal.aborted) {
    const started = host.clock.monotonic();
    try {
      const onEvent = (): void => {
        alarm.ring();
      };
      await monitor(host, ownership, signal, onEvent, onLink);
    } catch {
      // No `ip`, or no process to be had: the sweep still finds every change, and reports what is wrong with `ip`.
    }
    if (isAborted(signal)) return;
    failures = host.clock.monotonic() - started > SOUND ? 1 : failures + 1;
    // What happened while nobody listened is not known.
    alarm.ring();
    const random = (host.random(1)[0] ?? 0) / 256;
    await host.clock.sleep(backOff(failures, random, { most: LONGEST_PAUSE }), signal).catch(() => undefined);
  }
}

async function monitor(host: Host, ownership: Ownership, signal: AbortSignal, onEvent: () => void, onLink: OnLink): Promise<void> {
  const concerns = new Relevance(ownership);
  const conversation = await host.processes.converse("ip", ["-N", "-oneline", "monitor", "rule", "route", "address", "link"]);
  const close = (): void => {
    conversation.close().catch(() => undefined);
  };
  signal.addEventListener("abort", close, { once: true });
  try {
    if (signal.aborted) return;
    let rest = "";
    for await (const chunk of conversation.output) {
      const lines = (rest + new TextDecoder().decode(chunk)).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const link = parseLinkLine(line);
        if (link !== undefined) onLink(link.name, link.works);
      }
      // Not `some`: every line has to be looked at for what it says of its link.
      if (lines.filter((line) => concerns.binder(line)).length > 0) onEvent();
    }
  } finally {
    signal.removeEventListener("abort", close);
    await conversation.close();
  }
}

/** What a line of `ip -oneline monitor link` says of a link: whether it is up and has a carrier. Undefined for other lines. */
export function parseLinkLine(line: string): { readonly name: string; readonly works: boolean } | undefined {
  const [, deleted, name, flags] = /^(Deleted )?[0-9]+: ([^\s@:]+)(?:@[^\s:]+)?: <([^>]*)>/.exec(line) ?? [];
  if (name === undefined || flags === undefined) return undefined;
  const words = new Set(flags.split(","));
  return { name, works: deleted === undefined && words.has("UP") && words.has("LOWER_UP") };
}

/** Which lines of `ip -N -oneline monitor` may mean that something of Binder's has changed. */
export class Relevance {
  readonly #devicePrefix: string;
  readonly #protocol: RegExp;
  /** What was said last of each link. */
  readonly #links = new Map<string, string>();

  constructor(ownership: Ownership) {
    this.#devicePrefix = ownership.devicePrefix;
    this.#protocol = new RegExp(`\\bproto ${ownership.protocol}\\b`);
  }

  binder(line: string): boolean {
    const link = /^(Deleted )?[0-9]+: ([^\s@:]+)(?:@[^\s:]+)?: (<[^>]*>)/.exec(line);
    if (link) return this.#link(link[2] ?? "", link[3] ?? "", link[1] !== undefined, line);
    // When a device loses its last IPv4 address or goes down, the kernel drops routes over it without a word (fib_frontend.c).
    if (/^(Deleted )?[0-9]+: \S+ +inet /.test(line)) return true;
    return this.#protocol.test(line);
  }

  /** Links are announced again and again, wireless ones most: only what differs from the last time counts. */
  #link(name: string, flags: string, deleted: boolean, line: string): boolean {
    if (deleted) {
      this.#links.delete(name);
      return true;
    }
    const said = name.startsWith(this.#devicePrefix) ? line : flags;
    if (this.#links.get(name) === said) return false;
    this.#links.set(name, said);
    return true;
  }
}

/** Gathers rings, and calls at a bearable rate. */
class Alarm {
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #call: () => void;
  #waiting = false;
  #last: number;
  #credit = BURST;

  constructor(clock: Clock, signal: AbortSignal, call: () => void) {
    this.#clock = clock;
    this.#signal = signal;
    this.#call = call;
    this.#last = clock.monotonic() - GAP;
  }

  ring(): void {
    if (this.#waiting) return;
    this.#waiting = true;
    const passed = this.#clock.monotonic() - this.#last;
    const credit = Math.min(BURST, this.#credit + passed / REFILL);
    const pause = Math.max(GATHER, GAP - passed, (1 - credit) * REFILL);
    this.#clock.sleep(pause, this.#signal).then(
      () => {
        this.#credit = Math.min(BURST, credit + pause / REFILL) - 1;
        this.#last = this.#clock.monotonic();
        this.#waiting = false;
        this.#call();
      },
      // The signal fired: nobody listens any more.
      () => undefined,
    );
  }
}
