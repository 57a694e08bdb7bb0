import type { Config } from "../config/types.ts";
import { idleBypasses } from "./bypass.ts";
import type { HomeFiles } from "./load.ts";
import { notBuilt } from "./not-built.ts";
import type { HomePlan, NumberedGateway } from "./plan.ts";
import { type KnownNetworks, wayOf, whyNot } from "./ways.ts";

/** A gateway that is configured but can't be used on this machine, and why. */
export interface UnusableGateway {
  readonly number: number;
  readonly name: string;
  readonly reason: string;
}

/** What there is to do, and what the user should know of it. */
export interface LoadedHome {
  readonly files: HomeFiles;
  readonly plan: HomePlan;
  readonly unusable: readonly UnusableGateway[];
  /** What the user should know though nothing failed. */
  readonly warnings: readonly string[];
}

/** What comes of the files while netifd's networks are as they are known. */
export function planHome(files: HomeFiles, known: KnownNetworks): LoadedHome {
  const { config, numbers, memberships, complaints } = files;
  const usable: NumberedGateway[] = [];
  const unusable: UnusableGateway[] = [];
  for (const section of config.gateways.filter(({ enabled }) => enabled)) {
    const number = numbers.get(section.name) ?? 0;
    const found = wayOf(section.reach, known);
    if ("way" in found) usable.push({ number, section, way: found.way });
    else unusable.push({ number, name: section.name, reason: found.reason });
  }
  const lans = config.lans.map((lan) => ({
    lan,
    device: "device" in lan ? lan.device : known.get(lan.network)?.way?.device,
  }));
  const plan: HomePlan = {
    config,
    gateways: usable,
    membership: memberships[0],
    memberships,
    lans: lans.flatMap(({ device }) => (device === undefined ? [] : [device])),
  };
  return {
    files,
    plan,
    unusable,
    warnings: [
      ...complaints,
      ...(config.relays.length > 0 ? [] : ["no relay is configured: ask a relay's operator for an invite and run binder join"]),
      ...(config.lans.length > 0 ? [] : ["no LAN is configured: nothing is captured; add a section lan to /etc/config/binder"]),
      ...lans.flatMap(({ lan, device }) =>
        device === undefined && "network" in lan ? [`lan '${lan.name}' is not captured: ${whyNot(lan.network, known)}`] : [],
      ),
      ...notBuilt(config),
      ...idleBypasses(plan).map(
        ({ name, gateway }) =>
          `bypass '${name}': gateway '${gateway}' is not in use, so what it names crosses with the rest; enable the gateway`,
      ),
    ],
  };
}

/** The networks of netifd that a configuration names, each once. */
export const networksOf = ({ lans, gateways }: Config): readonly string[] => [
  ...new Set([
    ...lans.flatMap((lan) => ("network" in lan ? [lan.network] : [])),
    ...gateways.flatMap(({ enabled, reach }) => (enabled && reach.kind === "network" ? [reach.network] : [])),
  ]),
];
