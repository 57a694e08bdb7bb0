import type { OwnPrefixes } from "./own-prefixes.ts";
import { choice, mac, name, portRange, prefix } from "./rules.ts";
import type { SectionReader } from "./section-reader.ts";
import type { BypassSection } from "./types.ts";

const protocols = choice("tcp", "udp", "icmp");

/** `config bypass 'NAME'`. `gateways` are the names of all gateway sections. */
export function readBypass(reader: SectionReader, own: OwnPrefixes, gateways: ReadonlySet<string>): BypassSection | undefined {
  const dest = reader.optional("dest", prefix(0, 32));
  const ports = reader.list("port", portRange);
  const proto = reader.optional("proto", protocols);
  const src = reader.optional("src", prefix(0, 32));
  const address = reader.optional("mac", mac);
  const gateway = reader.optional("gateway", name);
  reader.finish();

  own.refusePrefix(reader, "dest", dest);
  own.refusePrefix(reader, "src", src);
  if (gateway !== undefined && !gateways.has(gateway)) reader.fail("gateway", "must be the name of a gateway of this file");
  if (proto === "icmp" && reader.has("port")) reader.fail("port", "must not be there beside proto icmp, which has no ports");
  const matches = ["dest", "port", "proto", "src", "mac"];
  if (!matches.some((option) => reader.has(option))) {
    reader.fail("", `must have one of ${matches.join(", ")}: without any it would match everything`);
    return undefined;
  }
  return {
    name: reader.name,
    ...(dest === undefined ? {} : { dest }),
    ...(ports.length === 0 ? {} : { ports }),
    ...(proto === undefined ? {} : { proto }),
    ...(src === undefined ? {} : { src }),
    ...(address === undefined ? {} : { mac: address }),
    ...(gateway === undefined ? {} : { gateway }),
  };
}
