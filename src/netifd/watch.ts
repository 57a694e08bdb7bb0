import { isAborted } from "../process/aborted.ts";
import { Wake } from "../process/wake.ts";
import type { UbusClient, UbusTable } from "../ubus-client/index.ts";
import { childOf, type NetworkState, networkState } from "./state.ts";

/** netifd's object for all networks; it notifies of each of them (ubus.c, netifd_ubus_interface_notify). */
const NETWORKS = "network.interface";
/** Milliseconds for an answer of netifd. */
const LIMIT = 5_000;
/** Milliseconds between looks at netifd when it says nothing: ubusd drops what a busy reader does not take. */
const SWEEP = 30_000;
const RETRY = 5_000;

export type NetworkStates = ReadonlyMap<string, NetworkState>;

/**
 * The states of these networks, once netifd is there, and again whenever one of them differs. While netifd or ubusd is away nothing
 * comes: what they had set up still stands. Ends when the signal fires.
 */
export async function* watchNetworks(
  ubus: Pick<UbusClient, "call" | "subscribe">,
  names: readonly string[],
  signal: AbortSignal,
): AsyncGenerator<NetworkStates, void> {
  const wake = new Wake();
  const concerns = new Set(names.flatMap((name) => [name, childOf(name)]));
  const subscription = ubus.subscribe(NETWORKS, {
    onUp: () => wake.set(),
    onNotification: (_type, { interface: name }) => {
      if (typeof name === "string" && concerns.has(name)) wake.set();
    },
  });
  let last = "";
  try {
    while (!signal.aborted) {
      const dump = await askNetifd(ubus, signal);
      if (isAborted(signal)) return;
      if (dump !== undefined) {
        const states = new Map(names.map((name) => [name, networkState(dump, name)]));
        const shown = JSON.stringify([...states]);
        if (shown !== last) yield states;
        last = shown;
      }
      await wake.wait(dump === undefined ? RETRY : SWEEP, signal);
    }
  } finally {
    subscription.close();
  }
}

async function askNetifd(ubus: Pick<UbusClient, "call">, signal: AbortSignal): Promise<UbusTable | undefined> {
  try {
    return await ubus.call(NETWORKS, "dump", {}, { timeout: LIMIT, signal });
  } catch {
    // Not there, or not yet: its coming wakes us.
    return undefined;
  }
}
