/** Where the demo's picture goes: drawn in place on a terminal, as plain lines elsewhere. */
import { drawFrame, type Line, plainLine } from "./picture.ts";

const ESCAPE = "\u001b[";
const HIDE_CURSOR = `${ESCAPE}?25l`;
const SHOW_CURSOR = `${ESCAPE}?25h`;
/** Without a terminal a line comes this often (ms). */
const PLAIN_EVERY = 2_000;

export class Screen {
  readonly #out = process.stdout;
  #drawn = 0;
  #lastPlain = 0;

  say(text: string): void {
    this.settle();
    this.#out.write(`${text}\n`);
  }

  /** Shows the rates, over the ones before. */
  draw(title: string, lines: readonly Line[]): void {
    if (!this.#out.isTTY) {
      if (Date.now() - this.#lastPlain < PLAIN_EVERY) return;
      this.#lastPlain = Date.now();
      this.#out.write(`${plainLine({ title, lines })}\n`);
      return;
    }
    // A full last column would wrap on some terminals.
    const rows = drawFrame({ title, lines, columns: Math.max(20, this.#out.columns - 1) });
    const up = this.#drawn === 0 ? HIDE_CURSOR : `${ESCAPE}${String(this.#drawn)}A`;
    this.#out.write(`${up}${rows.map((row) => `\r${ESCAPE}2K${row}\n`).join("")}`);
    this.#drawn = rows.length;
  }

  /** Leaves the picture as it stands; what follows comes below it. */
  settle(): void {
    if (this.#drawn > 0) this.#out.write(SHOW_CURSOR);
    this.#drawn = 0;
    this.#lastPlain = 0;
  }
}
