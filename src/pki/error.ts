/** Keys or certificates could not be made. The message tells a person what to do, and never shows a key. */
export class PkiError extends Error {
  override readonly name = "PkiError";
}
