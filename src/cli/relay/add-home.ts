import type { Host } from "../../host/types.ts";
import { hexOf } from "../../plan/hex.ts";
import { highestHome } from "../../plan/homes.ts";
import { readBook, writeBook } from "../../relay/book-file.ts";
import { withBookLock } from "../../relay/book-lock.ts";
import { writeEntries } from "../../relay/client-entries.ts";
import { addHome } from "../../relay/homes.ts";
import { runCommand } from "../frame.ts";
import { handOver, makeInvite, nowOf, openRelay } from "./admission.ts";
import { tellRelay } from "./tell.ts";

const usage = `usage: binder relay add-home NAME

Lets a home in, and prints its invite: one line on standard output, to be read by binder join at the home.
The line holds the home's private key. It is printed this once; binder relay rekey NAME makes a new one.

NAME  1 to 32 letters, digits, underscores, dots or hyphens
`;

export async function addHomeCommand(host: Host, args: readonly string[]): Promise<number> {
  return await runCommand(host, args, "binder relay add-home", { usage, positionals: { least: 1, most: 1 } }, async (given, signal) => {
    const [name = ""] = given.positionals;
    const { settings, entries } = await openRelay(host);
    const { home, invite } = await withBookLock(host, async () => {
      const change = addHome(await readBook(host), name, hexOf(host.random(8)), nowOf(host), highestHome(settings.prefix));
      // What may fail comes first: a home without an invite would be of no use.
      const line = await makeInvite(host, settings, change.home, signal);
      await writeBook(host, change.book);
      await writeEntries(host, entries, change.home);
      return { home: change.home, invite: line };
    });
    const status = await tellRelay(host, signal);
    handOver(host, home, invite);
    return status;
  });
}
