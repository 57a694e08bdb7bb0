/** The configuration files: from text to typed, validated data, or every error at once. */
export { formatConfigError } from "./errors.ts";
export { type HomeConfigOptions, parseConfig } from "./home.ts";
export type { ConfigResult } from "./read-file.ts";
export { parseRelayConfig } from "./relay.ts";
