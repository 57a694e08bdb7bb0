import type { Config } from "../config/types.ts";

/** A warning for everything that a configuration may say already, so that it need not change later, but that has no effect yet. */
export function notBuilt({ main, relays, gateways }: Config): readonly string[] {
  const names = (sections: readonly { readonly name: string }[]): string => sections.map(({ name }) => `'${name}'`).join(", ");
  const standby = gateways.filter(({ priority }) => priority > 1);
  const limited = gateways.filter(({ quota }) => quota !== undefined);
  const [first, ...others] = relays.filter(({ enabled }) => enabled);
  return [
    ...(main.transport === "tunnel" ? ["option transport 'tunnel' has no effect yet: the proxy is used"] : []),
    ...(standby.length === 0 ? [] : [`option priority has no effect yet: gateway ${names(standby)} carries like the others`]),
    ...(limited.length === 0 ? [] : [`option quota has no effect yet: gateway ${names(limited)} carries without a limit`]),
    ...(first === undefined || others.length === 0
      ? []
      : [`one relay is used: ${names(others)} is not tried when '${first.name}' does not answer`]),
  ];
}
