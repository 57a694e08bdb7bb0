/** Random texts near to UCI, the same for the same seed. */

/** mulberry32: a whole number from 0 to below the limit. */
export type Random = (limit: number) => number;

export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}

const ARGUMENTS = [
  "a",
  "b1",
  "x_y",
  "'a b'",
  '"c d"',
  "'it'",
  "\\'",
  '\\"',
  "\\;",
  "\\#",
  "\\\n",
  "\\\r\n",
  "'l1\nl2'",
  '"a\\\nb"',
  "''",
  '""',
  "#c",
];
const NAMES = ["a", "b", "x", "y", "'z'", '"x"', "_9", "cfg01b618", "cfg02b618"];
const TYPES = ["s", "s", "s", "'s'", "'t'"];
const ODD = [
  ";d",
  "\xe9",
  "'\t'",
  "\0",
  "'a\0",
  "'a\r\nb'",
  "\\\r",
  "\r",
  "k".repeat(31),
  `'${"m".repeat(63)}'`,
  "cfg01b618",
  "cfg02b618",
  "s-t",
  ".",
];
const COMMANDS = ["config", "option", "option", "list", "o", "l", "c", "#"];
const KEYWORDS = [...COMMANDS, "package", "p", "foo", ""];
const SPACES = [" ", " ", " ", " ", "\t", "\t", "  ", "\v", "\f", ""];
const ENDS = ["\n", "\n", "\n", "\r\n", "; ", "''; ", " '' ", " # c\n", "\\\n", ""];

/** A text of commands in random order; most of them are well. */
export function randomText(random: Random): string {
  const pick = (from: readonly string[]): string => from[random(from.length)] ?? "";
  const seldom = (usual: readonly string[], odd: readonly string[]): string => pick(random(25) > 0 ? usual : odd);
  let text = random(10) > 0 ? "config s 'a'\n" : "";
  for (let count = random(8); count > 0; count--) {
    const command = seldom(COMMANDS, KEYWORDS);
    text += pick(["", "\t", " "]) + command + seldom([" ", "\t"], SPACES) + seldom(command.startsWith("c") ? TYPES : NAMES, ARGUMENTS);
    if (random(4) > 0) text += seldom([" ", "\t"], SPACES) + (command.startsWith("c") ? seldom(NAMES, ARGUMENTS) : pick(ARGUMENTS));
    text += seldom(["\n"], ENDS);
  }
  return text;
}

/** The text with up to three pieces put in, taken out, changed or copied. */
export function mutated(text: string, random: Random): string {
  let now = text;
  for (let count = 1 + random(3); count > 0; count--) {
    const at = random(now.length + 1);
    const pieces = [...ARGUMENTS, ...ODD, ...COMMANDS];
    const before = now.slice(0, at);
    switch (random(4)) {
      case 0:
        now = before + (pieces[random(pieces.length)] ?? "") + now.slice(at);
        break;
      case 1:
        now = before + now.slice(at + random(6));
        break;
      case 2:
        now = before + String.fromCharCode(random(256)) + now.slice(at + 1);
        break;
      default: {
        const from = random(now.length + 1);
        now = before + now.slice(from, from + random(20)) + now.slice(at);
      }
    }
  }
  return now;
}
