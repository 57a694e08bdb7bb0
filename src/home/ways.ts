import type { Reach } from "../config/types.ts";
import type { NetworkState } from "../netifd/state.ts";
import type { Way } from "./plan.ts";

/** What netifd says of a network, and the way that packets went by it when it was up last. */
export interface KnownNetwork {
  readonly state: NetworkState;
  readonly way: Way | undefined;
}

export type KnownNetworks = ReadonlyMap<string, KnownNetwork>;

/**
 * The networks by what netifd says now. One that is down keeps its way: that nothing goes there is found as it is of any gateway, and its
 * OpenVPN goes on as soon as the line does.
 */
export function learnNetworks(known: KnownNetworks, states: ReadonlyMap<string, NetworkState>): KnownNetworks {
  return new Map([...states].map(([name, state]) => [name, { state, way: wayOfState(state, known.get(name)?.way) }]));
}

function wayOfState(state: NetworkState, former: Way | undefined): Way | undefined {
  switch (state.kind) {
    case "absent":
      return undefined;
    case "down":
      return former;
    case "up": {
      const { device, nextHop } = state;
      const resolvers = state.resolvers.length > 0 ? state.resolvers : nextHop === undefined ? [] : [nextHop];
      return { device, via: nextHop, resolvers };
    }
  }
}

/** The way to a gateway, or why there is none, as a sentence's end. */
export function wayOf(reach: Reach, known: KnownNetworks): { readonly way: Way } | { readonly reason: string } {
  switch (reach.kind) {
    case "via":
      return { way: { device: reach.device, via: reach.via, resolvers: [reach.via] } };
    case "network": {
      const way = known.get(reach.network)?.way;
      return way === undefined ? { reason: whyNot(reach.network, known) } : { way };
    }
    case "remote":
      return { reason: "option remote is not built yet; use device and via" };
  }
}

/** Why a network has no device now. */
export function whyNot(network: string, known: KnownNetworks): string {
  const state = known.get(network)?.state;
  switch (state?.kind) {
    case undefined:
    // One that is up has a device.
    case "up":
      return `network '${network}': netifd says nothing of it; is this OpenWrt, and does ubus list answer?`;
    case "absent":
      return `there is no network '${network}' in /etc/config/network`;
    case "down":
      return `network '${network}' is down${state.reason === "" ? "" : ` (${state.reason})`}`;
  }
}

const NONE = "-";

/** The ways that are known, a line for each network. */
export function formatWays(known: KnownNetworks): string {
  return [...known]
    .flatMap(([name, { way }]) => (way === undefined ? [] : [[name, way.device, way.via ?? NONE, ...way.resolvers].join(" ")]))
    .map((line) => `${line}\n`)
    .join("");
}

/** The inverse of {@link formatWays}: what a former daemon knew, of networks that may be down by now. Lines of another form are left out. */
export function parseWays(text: string): KnownNetworks {
  return new Map(
    text.split("\n").flatMap((line): readonly (readonly [string, KnownNetwork])[] => {
      const [name, device, via, ...resolvers] = line.split(" ");
      if (name === undefined || device === undefined || via === undefined) return [];
      return [[name, { state: { kind: "down", reason: "" }, way: { device, via: via === NONE ? undefined : via, resolvers } }]];
    }),
  );
}
