/**
 * The book's text: UCI, a section for each home and for each resting number.
 *
 *     config home
 *             option name 'anna'
 *             option number '2'
 *             option cn 'home-2-9f0c…'
 *             option added '2025-11-22T21:47:00Z'
 *
 *     config rested
 *             option number '3'
 *             option removed '2025-11-22T21:47:00Z'
 */
import { HOME_NAME_RULE, isHomeName } from "../invite/names.ts";
import { MAX_HOME, MIN_HOME } from "../plan/numbers.ts";
import { parseUci } from "../uci-parser/parse.ts";
import { quote } from "../uci-parser/print.ts";
import { UciError, type UciSection } from "../uci-parser/types.ts";
import { type Book, BookError, type Home, type Rested } from "./homes.ts";
import { RELAY_BOOK } from "./paths.ts";

export function printBook(book: Book): string {
  const homes = book.homes.map(({ name, number, cn, added }) =>
    section("home", { name, number: String(number), cn, added: formatTime(added) }),
  );
  const rested = book.rested.map(({ number, removed }) => section("rested", { number: String(number), removed: formatTime(removed) }));
  return `# Written by binder relay; use binder relay add-home and remove-home.\n${[...homes, ...rested].join("")}`;
}

function section(type: string, options: Readonly<Record<string, string>>): string {
  const lines = Object.entries(options).map(([name, value]) => `\toption ${name} ${quote(value)}\n`);
  return `\nconfig ${type}\n${lines.join("")}`;
}

/** Throws a BookError that names the line: a book that is not understood whole must not be written anew. */
export function parseBook(bytes: Uint8Array): Book {
  const sections = sectionsOf(bytes);
  const homes = sections.filter(({ type }) => type === "home").map(readHome);
  const rested = sections.filter(({ type }) => type === "rested").map(readRested);
  for (const { type, line } of sections)
    if (type !== "home" && type !== "rested") throw damaged(line, `"${type}" is neither home nor rested`);
  for (const field of ["name", "number", "cn"] as const) {
    const values = homes.map((home) => home[field]);
    const twice = values.find((value, index) => values.indexOf(value) !== index);
    if (twice !== undefined) throw damaged(1, `two homes have the ${field} ${twice}`);
  }
  return { homes: [...homes].sort((a, b) => a.number - b.number), rested };
}

function sectionsOf(bytes: Uint8Array): readonly UciSection[] {
  try {
    return parseUci(bytes).sections;
  } catch (error) {
    if (!(error instanceof UciError)) throw error;
    throw damaged(error.line, error.reason, error);
  }
}

function readHome(from: UciSection): Home {
  const name = option(from, "name");
  if (!isHomeName(name)) throw damaged(from.line, `a home's name ${HOME_NAME_RULE}`);
  const cn = option(from, "cn");
  // It is the name of a file and comes from nobody but this program.
  if (!/^home-[0-9]+-[0-9a-f]+$/.test(cn)) throw damaged(from.line, "a home's cn is home-, its number, - and hexadecimal digits");
  return { name, number: readNumber(from), cn, added: readTime(from, "added") };
}

function readRested(from: UciSection): Rested {
  return { number: readNumber(from), removed: readTime(from, "removed") };
}

function readNumber(from: UciSection): number {
  const text = option(from, "number");
  const number = Number(text);
  if (!/^[1-9][0-9]{0,3}$/.test(text) || number < MIN_HOME || number > MAX_HOME) {
    throw damaged(from.line, `a number is ${MIN_HOME} to ${MAX_HOME}`);
  }
  return number;
}

function readTime(from: UciSection, name: string): number {
  const text = option(from, name);
  const time = Date.parse(text);
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text) || Number.isNaN(time))
    throw damaged(from.line, `${name} is a time like 2025-11-22T21:47:00Z`);
  return time / 1000;
}

function option(from: UciSection, name: string): string {
  const found = from.options.find((candidate) => candidate.name === name);
  if (found?.kind !== "option") throw damaged(from.line, `it lacks option ${name}`);
  return found.value;
}

/** Seconds since 1970 as a person reads them, in UTC. */
export const formatTime = (seconds: number): string => new Date(seconds * 1000).toISOString().replace(".000Z", "Z");

function damaged(line: number, what: string, cause?: unknown): BookError {
  return new BookError(`${RELAY_BOOK}, line ${line}: ${what}; mend the file, or put back a copy of it`, { cause });
}
