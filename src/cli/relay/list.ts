import type { Host } from "../../host/types.ts";
import { homeAddress, type Prefix } from "../../plan/addresses.ts";
import { readBook } from "../../relay/book-file.ts";
import { formatTime } from "../../relay/book-text.ts";
import { type Book, REST } from "../../relay/homes.ts";
import { runCommand, STATUS } from "../frame.ts";
import { nowOf, openRelay } from "./admission.ts";

const usage = `usage: binder relay list [--json]

Shows the homes of this relay: name, number, stable address, the name of its certificate, and when it was added. With --json also the
numbers that rest, and until when.
`;

export async function listCommand(host: Host, args: readonly string[]): Promise<number> {
  return await runCommand(
    host,
    args,
    "binder relay list",
    { usage, flags: ["json"], positionals: { least: 0, most: 0 } },
    async (given) => {
      const { settings } = await openRelay(host);
      const book = await readBook(host);
      host.program.stdout(
        given.flags.has("json")
          ? `${JSON.stringify(asJson(book, settings.prefix, nowOf(host)), undefined, 2)}\n`
          : asTable(book, settings.prefix),
      );
      return STATUS.well;
    },
  );
}

function asJson(book: Book, prefix: Prefix, now: number): unknown {
  return {
    homes: book.homes.map(({ name, number, cn, added }) => ({
      name,
      number,
      address: homeAddress(prefix, 0, number),
      cn,
      added: formatTime(added),
    })),
    rested: book.rested
      .filter(({ removed }) => now - removed < REST)
      .map(({ number, removed }) => ({ number, until: formatTime(removed + REST) })),
  };
}

function asTable(book: Book, prefix: Prefix): string {
  if (book.homes.length === 0) return "no homes yet: binder relay add-home NAME lets one in\n";
  const rows = [
    ["HOME", "NUMBER", "ADDRESS", "CERTIFICATE", "ADDED"],
    ...book.homes.map(({ name, number, cn, added }) => [name, String(number), homeAddress(prefix, 0, number), cn, formatTime(added)]),
  ];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => `${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")}\n`).join("");
}
