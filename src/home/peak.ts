/** What is a little more than the present peak changes nothing, nor what is a little less. */
const MORE = 1.04;
const LESS = 1.5;
/** A peak that was not seen again in so many looks is forgotten. */
const LOOKS = 300;
/**
 * What grew may have been held back by the limit that it decides: so much more is allowed for so many looks, to see whether it grows on.
 * With 1.4 the first download by a gateway of 120 ms had its full rate after eight seconds, with twice as much after five.
 */
const ROOM = 2;
const ROOM_FOR = 3;

/** The most that was seen lately of something that is looked at while it matters. */
export class Peak {
  #kept = 0;
  #lately = 0;
  #looks = 0;
  #room = 0;

  /** The peak, and room to grow while it does. */
  get value(): number {
    return Math.round(this.#room > 0 ? this.#kept * ROOM : this.#kept);
  }

  /** The peak alone. */
  get most(): number {
    return this.#kept;
  }

  see(value: number): void {
    if (value > this.#kept * MORE) {
      this.#kept = value;
      this.#room = ROOM_FOR;
      this.#begin();
      return;
    }
    this.#room = Math.max(0, this.#room - 1);
    this.#lately = Math.max(this.#lately, value);
    this.#looks += 1;
    if (this.#looks < LOOKS) return;
    if (this.#lately * LESS < this.#kept) this.#kept = this.#lately;
    this.#begin();
  }

  #begin(): void {
    this.#lately = 0;
    this.#looks = 0;
  }
}
