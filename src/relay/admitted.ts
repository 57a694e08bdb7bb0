import type { Host } from "../host/types.ts";
import { readBook } from "./book-file.ts";
import { withBookLock } from "./book-lock.ts";
import { type EntryPlan, syncEntries } from "./client-entries.ts";
import type { Book } from "./homes.ts";

/**
 * Reads the book and makes the entries those of it, while no command changes either: with a book read earlier, a home that is being
 * removed could be let in again for a moment. For the daemon, when it starts and on every reload. Throws a BookError.
 */
export async function syncAdmitted(host: Host, plan: EntryPlan): Promise<Book> {
  return await withBookLock(host, async () => {
    const book = await readBook(host);
    await syncEntries(host, plan, book);
    return book;
  });
}
