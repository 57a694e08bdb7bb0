import { isSpecific } from "./advice.ts";

/**
 * The error of OpenVPN's that says most about why it does not connect. A failed attempt tells several, the cause first and generalities
 * ("TLS handshake failed") after: of one attempt the last that says what is wrong stays, of two attempts the later's. OpenSSL's own words
 * come after OpenVPN's, which say more.
 */
export class LastError {
  #text = "";
  #attemptIsNew = true;

  /** Empty if there is none. */
  get text(): string {
    return this.#text;
  }

  tell(text: string): void {
    const saysLess = !isSpecific(text) || text.startsWith("OpenSSL: ");
    if (text === "" || (!this.#attemptIsNew && isSpecific(this.#text) && saysLess)) return;
    this.#text = text;
    this.#attemptIsNew = false;
  }

  /** The attempt is over; what is told from now on belongs to the next. */
  endAttempt(): void {
    this.#attemptIsNew = true;
  }

  clear(): void {
    this.#text = "";
    this.#attemptIsNew = true;
  }
}
