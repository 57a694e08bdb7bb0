import type { Host } from "../../host/types.ts";
import { readBook, writeBook } from "../../relay/book-file.ts";
import { withBookLock } from "../../relay/book-lock.ts";
import { removeEntries } from "../../relay/client-entries.ts";
import { removeHome } from "../../relay/homes.ts";
import { runCommand } from "../frame.ts";
import { nowOf, openRelay } from "./admission.ts";
import { tellRelay } from "./tell.ts";

const usage = `usage: binder relay remove-home NAME

Shuts a home out: its invite stops working, its live connections end, its number rests for a day. Other homes notice nothing.
`;

export async function removeHomeCommand(host: Host, args: readonly string[]): Promise<number> {
  return await runCommand(host, args, "binder relay remove-home", { usage, positionals: { least: 1, most: 1 } }, async (given, signal) => {
    const [name = ""] = given.positionals;
    await openRelay(host);
    const home = await withBookLock(host, async () => {
      const change = removeHome(await readBook(host), name, nowOf(host));
      // In this order, so that a command cut off here leaves a home that is listed but shut out, never the reverse.
      await removeEntries(host, change.home.cn);
      await writeBook(host, change.book);
      return change.home;
    });
    const status = await tellRelay(host, signal);
    host.program.stderr(`Home ${home.name} is shut out; its number ${home.number} rests for a day.\n`);
    return status;
  });
}
