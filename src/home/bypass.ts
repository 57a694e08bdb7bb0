import type { BypassSection } from "../config/types.ts";
import { nftAddress, nftMac } from "../kernel/nft-text.ts";
import { formatPrefix } from "../plan/addresses.ts";
import type { Decision } from "../plan/marks.ts";
import type { HomePlan } from "./plan.ts";

/** What a bypass matches, as rules of nft, and what becomes of it. */
export interface BypassDecision {
  readonly matches: readonly string[];
  readonly decision: Decision;
}

/** A bypass by a gateway that is not used (disabled, or unusable on this machine) is none: its traffic crosses with the rest. */
export function bypassDecisions(plan: HomePlan): readonly BypassDecision[] {
  return plan.config.bypasses.flatMap((bypass) => {
    const gateway = plan.gateways.find((candidate) => candidate.section.name === bypass.gateway);
    if (bypass.gateway !== undefined && gateway === undefined) return [];
    const decision: Decision = gateway === undefined ? { kind: "bypass" } : { kind: "direct", gateway: gateway.number };
    return [{ matches: bypassMatches(bypass), decision }];
  });
}

/** The names of the bypasses that have no effect now, with their gateways'. */
export function idleBypasses(plan: HomePlan): readonly { readonly name: string; readonly gateway: string }[] {
  const used = new Set(plan.gateways.map(({ section }) => section.name));
  return plan.config.bypasses.flatMap(({ name, gateway }) => (gateway === undefined || used.has(gateway) ? [] : [{ name, gateway }]));
}

function bypassMatches(bypass: BypassSection): readonly string[] {
  const common = [
    ...(bypass.src === undefined ? [] : [`ip saddr ${nftAddress(formatPrefix(bypass.src))}`]),
    ...(bypass.dest === undefined ? [] : [`ip daddr ${nftAddress(formatPrefix(bypass.dest))}`]),
    ...(bypass.mac === undefined ? [] : [`ether saddr ${nftMac(bypass.mac)}`]),
  ];
  return protocolMatches(bypass).map((match) => [...common, ...match].join(" "));
}

function protocolMatches({ proto, ports }: BypassSection): readonly (readonly string[])[] {
  if (ports === undefined) return [proto === undefined ? [] : [`meta l4proto ${proto}`]];
  const list = `{ ${ports.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`)).join(", ")} }`;
  const protocols = proto === undefined ? (["tcp", "udp"] as const) : [proto];
  return protocols.map((protocol) => [`${protocol} dport ${list}`]);
}
