/** A machine is never less late than this (ms): it has other things to do. */
const USUAL = 20;
/** So long (ms) after it was late it counts as half as late. */
const HALVED_AFTER = 1_000;

/**
 * How late this machine does what is due. One whose processor is the limit lets OpenVPN wait as it lets this program wait, and the silence
 * of a lane then says so much less of its gateway. Milliseconds.
 */
export class Lateness {
  #late = 0;
  #at = 0;

  /** Takes what was done at `now` and should have been done at `due`. */
  see(now: number, due: number): void {
    this.#late = Math.max(now - due, this.value(now));
    this.#at = now;
  }

  /** How late the machine has been lately; 0 where it was no more than usual. */
  value(now: number): number {
    const late = this.#late * 0.5 ** ((now - this.#at) / HALVED_AFTER);
    return late < USUAL ? 0 : late;
  }
}
