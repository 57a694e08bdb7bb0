import { MAX_GATEWAY } from "../plan/numbers.ts";
import type { OwnPrefixes } from "./own-prefixes.ts";
import { boolean, byteCount, choice, device, hostAddress, integer, network } from "./rules.ts";
import type { SectionReader } from "./section-reader.ts";
import type { GatewaySection, Reach } from "./types.ts";

const encapsulations = choice("vxlan", "ipip", "gre");
const WAYS = "device and via, or network, or remote";

/** `config gateway 'NAME'`. */
export function readGateway(reader: SectionReader, own: OwnPrefixes): GatewaySection | undefined {
  const reach = readReach(reader, own);
  const quota = reader.optional("quota", byteCount);
  const mtu = reader.optional("mtu", integer(576, 1500));
  const rest = {
    name: reader.name,
    enabled: reader.value("enabled", boolean, true),
    priority: reader.value("priority", integer(1, 255), 1),
    weight: reader.value("weight", integer(1, 256), 1),
    ...(quota === undefined ? {} : { quota }),
    ...(mtu === undefined ? {} : { mtu }),
  };
  reader.finish();
  return reach === undefined ? undefined : { ...rest, reach };
}

function readReach(reader: SectionReader, own: OwnPrefixes): Reach | undefined {
  const byDevice = reader.optional("device", device);
  const via = reader.optional("via", hostAddress);
  const byNetwork = reader.optional("network", network);
  const remote = reader.optional("remote", hostAddress);
  const encap = reader.value("encap", encapsulations, "vxlan");
  own.refuseAddress(reader, "via", via);
  own.refuseAddress(reader, "remote", remote);

  const hop = reader.has("device") || reader.has("via");
  const ways = [hop, reader.has("network"), reader.has("remote")].filter((way) => way).length;
  if (ways !== 1) reader.fail("", ways === 0 ? `must have a way to it: ${WAYS}` : `must have one way to it alone: ${WAYS}`);
  else if (hop && !reader.has("via")) reader.fail("via", "must be there beside device");
  else if (hop && !reader.has("device")) reader.fail("device", "must be there beside via");
  if (reader.has("encap") && !reader.has("remote")) reader.fail("encap", "must be there only beside remote");
  if (ways !== 1) return undefined;

  if (byDevice !== undefined && via !== undefined) return { kind: "via", device: byDevice, via };
  if (byNetwork !== undefined) return { kind: "network", network: byNetwork };
  return remote === undefined ? undefined : { kind: "remote", remote, encap };
}

/** Every gateway has a number, disabled ones too. */
export function checkGatewayCount(readers: readonly SectionReader[]): void {
  for (const [index, reader] of readers.entries()) {
    if (index >= MAX_GATEWAY) reader.fail("", `is gateway ${index + 1} of this file: there can be ${MAX_GATEWAY}`);
  }
}
