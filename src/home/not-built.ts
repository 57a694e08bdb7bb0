import type { Config } from "../config/types.ts";

/** A warning for everything that a configuration may say already, so that it need not change later, but that has no effect yet. */
export function notBuilt({ main }: Config): readonly string[] {
  return main.transport === "tunnel" ? ["option transport 'tunnel' has no effect yet: the proxy is used"] : [];
}
