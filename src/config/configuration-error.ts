/** The configuration is wrong; `message` has every error, one a line. */
export class ConfigurationError extends Error {
  override readonly name = "ConfigurationError";
}
