import type { Host } from "../../host/types.ts";
import { encodeInvite } from "../../invite/codec.ts";
import { formatPrefix } from "../../plan/addresses.ts";
import { hexOf } from "../../plan/hex.ts";
import { readBook, writeBook } from "../../relay/book-file.ts";
import { withBookLock } from "../../relay/book-lock.ts";
import { removeEntries, writeEntries } from "../../relay/client-entries.ts";
import { type Book, type Change, findHome, type Home } from "../../relay/homes.ts";
import { makeHomeKeys } from "../../relay/keys.ts";
import { openRelay } from "./admission.ts";
import type { RelaySettings } from "./settings.ts";
import { tellRelay } from "./tell.ts";

/** Gives a home a new common name; `random` is hexadecimal. Throws a BookError. */
type Enter = (book: Book, random: string, settings: RelaySettings) => Change;

/**
 * Enters a home into the book, makes its keys, tells a running relay, and prints the invite. A former key of the home is void from then
 * on. Answers the command's exit status; rejects with a CommandError, BookError or PkiError, the book unchanged.
 */
export async function issueInvite(host: Host, enter: Enter, signal: AbortSignal): Promise<number> {
  const { settings, entries } = await openRelay(host);
  const { home, invite } = await withBookLock(host, async () => {
    const former = await readBook(host);
    const change = enter(former, hexOf(host.random(8)), settings);
    // What may fail comes first: a home without an invite would be of no use.
    const line = await makeInvite(host, settings, change.home, signal);
    // The old key next: a command cut off here leaves a home that is shut out, and can be given a new key again.
    const known = findHome(former, change.home.name);
    if (known !== undefined) await removeEntries(host, known.cn);
    await writeBook(host, change.book);
    await writeEntries(host, entries, change.home);
    return { home: change.home, invite: line };
  });
  const status = await tellRelay(host, signal);
  handOver(host, home, invite);
  return status;
}

/** Makes a home's keys and the one line with them. Nothing of it is kept at the relay. */
async function makeInvite(host: Host, settings: RelaySettings, home: Home, signal: AbortSignal): Promise<string> {
  const keys = await makeHomeKeys(host, home, signal);
  return encodeInvite({
    relay: settings.name,
    home: home.name,
    number: home.number,
    addresses: settings.addresses,
    port: settings.port,
    prefix: formatPrefix(settings.prefix),
    resolver: settings.resolver,
    ...keys,
  });
}

/** The line goes to standard output alone, so that it can be piped. */
function handOver(host: Host, home: Home, invite: string): void {
  host.program.stdout(`${invite}\n`);
  host.program.stderr(
    `This line is the key of home ${home.name} (number ${home.number}): send it by a way that nobody else reads, and to one home only.\n` +
      "There: binder join, then paste it, then Ctrl-D. It is kept nowhere here.\n",
  );
}
