/** Characters as uci and the C locale class them. */

export const NUL = 0x00;
export const TAB = 0x09;
export const NEWLINE = 0x0a;
export const RETURN = 0x0d;
export const SPACE = 0x20;
export const DOUBLE_QUOTE = 0x22;
export const HASH = 0x23;
export const SINGLE_QUOTE = 0x27;
export const SEMICOLON = 0x3b;
export const BACKSLASH = 0x5c;

/** isspace: tab, newline, vertical tab, form feed, carriage return, space. */
export const isSpace = (byte: number): boolean => byte === SPACE || (byte >= TAB && byte <= RETURN);

/** Names of sections and options: letters, digits and `_`. */
export const isName = (text: string): boolean => /^[A-Za-z0-9_]+$/.test(text);

/** Names in a `package` line: `-` too. */
export const isPackageLineName = (text: string): boolean => /^[A-Za-z0-9_-]+$/.test(text);

/** Types of sections, and names of files: anything printable but a space. */
export const isType = (text: string): boolean => /^[!-~]+$/.test(text);
