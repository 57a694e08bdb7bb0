import type { Host } from "../host/types.ts";
import { parseBook, printBook } from "./book-text.ts";
import { type Book, emptyBook } from "./homes.ts";
import { RELAY_BOOK } from "./paths.ts";

/** The book of homes; an empty one if there is no file yet. Throws a BookError if the file is damaged. */
export async function readBook(host: Host): Promise<Book> {
  if ((await host.files.status(RELAY_BOOK)) === undefined) return emptyBook;
  return parseBook(await host.files.read(RELAY_BOOK));
}

/** Replaces the book whole or not at all. For who holds its lock ({@link withBookLock}). */
export async function writeBook(host: Host, book: Book): Promise<void> {
  await host.files.replace(RELAY_BOOK, new TextEncoder().encode(printBook(book)), 0o600);
}
