import { MAX_GATEWAY } from "../plan/numbers.ts";
import type { SectionReader } from "./section-reader.ts";
import type { BypassSection, GatewaySection, LanSection, RelaySection } from "./types.ts";

interface Read<T> {
  readonly reader: SectionReader;
  /** Undefined where it is too wrong to compare. */
  readonly section: T | undefined;
}

export interface ReadSections {
  readonly lans: readonly Read<LanSection>[];
  readonly relays: readonly Read<RelaySection>[];
  readonly gateways: readonly Read<GatewaySection>[];
  readonly bypasses: readonly Read<BypassSection>[];
}

/** Reports sections that are the same thing under two names. */
export function checkDistinct({ lans, relays, gateways, bypasses }: ReadSections): void {
  eachPair(lans, (lan, earlier, reader, where) => {
    const option = "device" in lan ? "device" : "network";
    if (keyOfLan(lan) === keyOfLan(earlier)) reader.fail(option, `must be of one lan alone: ${where} has it`);
  });
  eachPair(gateways, ({ reach }, earlier, reader, where) => {
    if (keyOfReach(reach) !== keyOfReach(earlier.reach)) return;
    reader.fail(reach.kind, `must be of one gateway alone: ${where} has it${reach.kind === "via" ? " on the same device" : ""}`);
  });
  eachPair(relays, (relay, earlier, reader, where) => {
    if (Math.abs(relay.port - earlier.port) > MAX_GATEWAY) return;
    for (const address of relay.addresses.filter((mine) => earlier.addresses.includes(mine))) {
      reader.fail("address", `must be of one relay alone: ${where} has it, with ports that overlap`, { value: address });
    }
  });
  eachPair(bypasses, (bypass, earlier, reader, where) => {
    if (matchesOf(bypass) === matchesOf(earlier)) reader.fail("", `must match something of its own: ${where} matches the same`);
  });
}

function eachPair<T>(read: readonly Read<T>[], check: (section: T, earlier: T, reader: SectionReader, where: string) => void): void {
  for (const [index, { reader, section }] of read.entries()) {
    if (section === undefined) continue;
    const earlier = read.slice(0, index);
    for (const other of earlier) {
      if (other.section !== undefined) check(section, other.section, reader, `${other.reader.label} on line ${other.reader.section.line}`);
    }
  }
}

const keyOfLan = (lan: LanSection): string => ("device" in lan ? `device ${lan.device}` : `network ${lan.network}`);

function keyOfReach(reach: GatewaySection["reach"]): string {
  switch (reach.kind) {
    case "via":
      return `via ${reach.device} ${reach.via}`;
    case "network":
      return `network ${reach.network}`;
    case "remote":
      return `remote ${reach.remote}`;
  }
}

function matchesOf({ dest, ports, proto, src, mac }: BypassSection): string {
  return JSON.stringify([dest, ports, proto, src, mac]);
}
