import { BACKSLASH, DOUBLE_QUOTE, HASH, isSpace, NEWLINE, NUL, RETURN, SEMICOLON, SINGLE_QUOTE } from "./characters.ts";
import type { LineBuffer } from "./line-buffer.ts";

/** Throws uci's parse error with this reason. */
export type Fail = (reason: string) => never;

export function skipSpace(buffer: LineBuffer): void {
  while (isSpace(buffer.current)) buffer.position++;
}

/**
 * The next argument of a command (file.c, next_arg); empty if there is none. Its text is unquoted in place, and a NUL ends it: where
 * the end is an unquoted `;` this cuts off the rest of the line, as the real program does.
 */
export function nextArgument(buffer: LineBuffer, fail: Fail): string {
  return buffer.text(nextArgumentAt(buffer, fail));
}

/** As {@link nextArgument}; answers where it starts. The text stays there: later arguments are written further on. */
export function nextArgumentAt(buffer: LineBuffer, fail: Fail): number {
  skipSpace(buffer);
  const start = buffer.position;
  if (buffer.current === SEMICOLON) {
    buffer.set(start, NUL);
    buffer.position++;
  } else {
    unquote(buffer, fail);
  }
  return start;
}

function unquote(buffer: LineBuffer, fail: Fail): void {
  let target = buffer.position;
  let skipEnd = true;
  const copy = (): void => {
    buffer.set(target++, buffer.current);
    buffer.position++;
  };
  const quoted = (quote: number): void => {
    buffer.position++;
    for (;;) {
      const byte = buffer.current;
      if (byte === quote) {
        buffer.position++;
        return;
      }
      if (byte === NUL) {
        buffer.readLine(buffer.position);
        if (buffer.current === NUL) fail(`EOF with unterminated ${String.fromCharCode(quote)}`);
      } else if (byte !== BACKSLASH || quote === SINGLE_QUOTE || escaped(buffer)) {
        copy();
      }
    }
  };

  do {
    const byte = buffer.current;
    if (byte === SINGLE_QUOTE || byte === DOUBLE_QUOTE) {
      quoted(byte);
    } else if (byte === HASH) {
      buffer.set(buffer.position, NUL);
    } else if (byte === SEMICOLON) {
      skipEnd = false;
      break;
    } else if (byte !== NUL && (byte !== BACKSLASH || escaped(buffer))) {
      copy();
    }
  } while (buffer.current !== NUL && !isSpace(buffer.current));

  if (buffer.current !== NUL && skipEnd) buffer.position++;
  buffer.set(target, NUL);
}

/** Steps over a backslash. False at the end of a line: the next one was read in its place. */
function escaped(buffer: LineBuffer): boolean {
  buffer.position++;
  const here = buffer.position;
  const byte = buffer.current;
  if (byte === NUL || byte === NEWLINE || (byte === RETURN && buffer.at(here + 1) === NEWLINE && buffer.at(here + 2) === NUL)) {
    buffer.readLine(here);
    return false;
  }
  return true;
}
