/** Taken in /etc/binder by the file of gateway numbers. */
const RESERVED = "numbers";

/** A relay's name is a UCI section's, which has no hyphen, and a folder's in /etc/binder. */
export const RELAY_NAME_RULE = "is 1 to 32 letters, digits or underscores, and not numbers";

export function isRelayName(text: string): boolean {
  return /^[A-Za-z0-9_]{1,32}$/.test(text) && text !== RESERVED;
}

export const HOME_NAME_RULE = "is 1 to 32 letters, digits, underscores, dots or hyphens, and begins with a letter or digit";

export function isHomeName(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$/.test(text);
}
