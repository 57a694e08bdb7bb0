/**
 * UCI, OpenWrt's configuration format, read and printed byte for byte as the `uci` program does.
 *
 *     const uci = parseUci(bytes); // throws UciError
 *     const shown = textToBytes(showUci(uci, "network"));
 */
export { bytesToText, textToBytes } from "./bytes.ts";
export { type NewSection, putSection, withSection } from "./edit.ts";
export { parseUci } from "./parse.ts";
export { exportUci, isPackageName, printSection, printUci, quote } from "./print.ts";
export { type ShowOptions, showUci } from "./show.ts";
export { UciError, type UciItem, type UciList, type UciOption, type UciPackage, type UciScalar, type UciSection } from "./types.ts";
