import type { Host } from "../../host/types.ts";
import { hexOf } from "../../plan/hex.ts";
import { readBook, writeBook } from "../../relay/book-file.ts";
import { withBookLock } from "../../relay/book-lock.ts";
import { removeEntries, writeEntries } from "../../relay/client-entries.ts";
import { findHome, rekeyHome } from "../../relay/homes.ts";
import { runCommand } from "../frame.ts";
import { handOver, makeInvite, openRelay } from "./admission.ts";
import { tellRelay } from "./tell.ts";

const usage = `usage: binder relay rekey NAME

Makes a home's keys anew, after its invite came into the wrong hands for instance, and prints the new invite: one line on standard
output, to be read by binder join at the home. The old invite stops working at once. The home keeps its number.
`;

export async function rekeyCommand(host: Host, args: readonly string[]): Promise<number> {
  return await runCommand(host, args, "binder relay rekey", { usage, positionals: { least: 1, most: 1 } }, async (given, signal) => {
    const [name = ""] = given.positionals;
    const { settings, entries } = await openRelay(host);
    const { home, invite } = await withBookLock(host, async () => {
      const book = await readBook(host);
      const change = rekeyHome(book, name, hexOf(host.random(8)));
      const line = await makeInvite(host, settings, change.home, signal);
      // The old key first: a command cut off here leaves a home that is shut out, and can be given a new key again.
      const former = findHome(book, name);
      if (former !== undefined) await removeEntries(host, former.cn);
      await writeBook(host, change.book);
      await writeEntries(host, entries, change.home);
      return { home: change.home, invite: line };
    });
    const status = await tellRelay(host, signal);
    handOver(host, home, invite);
    return status;
  });
}
