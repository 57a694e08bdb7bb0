/** The relay's book of homes, and what is done with it; no input or output here. Times are whole seconds since 1970-01-01 UTC. */
import { HOME_NAME_RULE, isHomeName } from "../invite/names.ts";
import { MIN_HOME } from "../plan/numbers.ts";

export interface Home {
  readonly name: string;
  /** Its number in every block, 2 to 4094. */
  readonly number: number;
  /** Common name of its certificate. Never used again, not even for the same home. */
  readonly cn: string;
  readonly added: number;
}

/** The number of a home that was removed: kept from newcomers until its packets and connections are surely gone. */
export interface Rested {
  readonly number: number;
  readonly removed: number;
}

export interface Book {
  /** By number. */
  readonly homes: readonly Home[];
  readonly rested: readonly Rested[];
}

export const emptyBook: Book = { homes: [], rested: [] };

/** Seconds that a removed home's number rests. */
export const REST = 24 * 3600;

/** The book can't be changed so. The message tells a person what to do. */
export class BookError extends Error {
  override readonly name = "BookError";
}

export function findHome(book: Book, name: string): Home | undefined {
  return book.homes.find((home) => home.name === name);
}

/** The common name of a home's certificate; `random` is hexadecimal. */
export const commonNameOf = (number: number, random: string): string => `home-${number}-${random}`;

/** The number in a common name; undefined if it is none of a home's. */
export function numberOfCommonName(cn: string): number | undefined {
  const [, number] = /^home-([0-9]{1,4})-[0-9a-f]+$/.exec(cn) ?? [];
  return number === undefined ? undefined : Number(number);
}

export interface Change {
  readonly book: Book;
  readonly home: Home;
}

/** Enters a home with the lowest free number up to `highest`. Throws a BookError. */
export function addHome(book: Book, name: string, random: string, now: number, highest: number): Change {
  if (!isHomeName(name)) throw new BookError(`a home's name ${HOME_NAME_RULE}; ${JSON.stringify(name)} is none`);
  if (findHome(book, name) !== undefined) {
    throw new BookError(`there is a home ${name} already: choose another name, or make it a new invite with binder relay rekey ${name}`);
  }
  const rested = stillResting(book, now);
  const number = lowestFree(book, rested, highest);
  const home = { name, number, cn: commonNameOf(number, random), added: now };
  return { home, book: { homes: [...book.homes, home].sort((a, b) => a.number - b.number), rested } };
}

/** Takes a home out; its number rests from now on. Throws a BookError. */
export function removeHome(book: Book, name: string, now: number): Change {
  const home = existing(book, name);
  const rested = [...stillResting(book, now), { number: home.number, removed: now }];
  return { home, book: { homes: book.homes.filter((other) => other !== home), rested } };
}

/** Gives a home another common name; number and day stay. Throws a BookError. */
export function rekeyHome(book: Book, name: string, random: string): Change {
  const former = existing(book, name);
  const home = { ...former, cn: commonNameOf(former.number, random) };
  return { home, book: { ...book, homes: book.homes.map((other) => (other === former ? home : other)) } };
}

function existing(book: Book, name: string): Home {
  const home = findHome(book, name);
  if (home === undefined) throw new BookError(`there is no home ${JSON.stringify(name)}: binder relay list shows them all`);
  return home;
}

/** A day long; a removal in the future comes from a clock that was wrong, and rests a day from then at most. */
function stillResting(book: Book, now: number): readonly Rested[] {
  return book.rested.filter(({ removed }) => Math.abs(now - removed) < REST);
}

function lowestFree(book: Book, rested: readonly Rested[], highest: number): number {
  const taken = new Set([...book.homes, ...rested].map(({ number }) => number));
  for (let number = MIN_HOME; number <= highest; number++) if (!taken.has(number)) return number;
  throw new BookError(`all ${highest - MIN_HOME + 1} numbers are taken or rest: remove a home, and wait a day for its number`);
}
