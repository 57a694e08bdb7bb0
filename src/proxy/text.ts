/** A value that HAProxy's configuration file cannot carry. */
export class ProxyTextError extends Error {
  override readonly name = "ProxyTextError";
}

/**
 * One line of HAProxy's configuration, or one command of its stats socket. Binder needs none of HAProxy's quoting: whatever is not a
 * plain word (addresses, numbers, paths, names) throws ProxyTextError.
 */
export function line(...words: readonly (string | number)[]): string {
  for (const word of words) {
    if (!/^[A-Za-z0-9_.,:;/@*()!{}<>=+-]+$/.test(String(word))) throw new ProxyTextError(`HAProxy's text can't carry "${String(word)}"`);
  }
  return words.join(" ");
}
