import type { KernelState } from "../kernel/state.ts";
import { deviceOfLane } from "../plan/numbers.ts";
import { type HomePlan, laneAddress } from "./plan.ts";

/** Lanes that a former daemon left carrying, with the MTU of their devices (bytes), by number. */
export type AdoptedLanes = ReadonlyMap<number, number>;

/**
 * A lane with an MPTCP endpoint was live when the former daemon ended, and is taken for live until a probe shows otherwise: otherwise
 * the first reconcile would take its endpoint, and the LAN's capture, from under the connections that go on.
 */
export function adoptedLanes({ membership, gateways }: HomePlan, actual: Pick<KernelState, "endpoints" | "devices">): AdoptedLanes {
  if (membership === undefined) return new Map();
  return new Map(
    gateways.flatMap(({ number }): readonly (readonly [number, number])[] => {
      const live = actual.endpoints.some(({ address }) => address === laneAddress(membership, number));
      const device = actual.devices.find(({ name }) => name === deviceOfLane(number));
      return live && device !== undefined ? [[number, device.mtu]] : [];
    }),
  );
}
