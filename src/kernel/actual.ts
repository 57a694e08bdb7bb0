import type { Address, Endpoint, KernelState, TunDevice } from "./state.ts";

export interface ActualDevice extends TunDevice {
  readonly up: boolean;
  /** False if something else bears a name of Binder's, or a tun that goes away with its user. */
  readonly persistentTun: boolean;
}

export interface ActualAddress extends Address {
  /** The other end, where somebody gave one. Binder never does. */
  readonly peer?: string;
}

export interface ActualEndpoint extends Endpoint {
  /** 1 to 255. */
  readonly id: number;
  /** It has flags that Binder never sets (`signal`, `fullmesh`), so it is not one that Binder wants. */
  readonly odd: boolean;
  /** The kernel made it by itself for a subflow that somebody else opened. */
  readonly implicit: boolean;
}

/** A rule with Binder's protocol that says what {@link Rule} can't, so it is never wanted. */
export interface OddRule {
  readonly preference: number;
}

/** A route with Binder's protocol that says what {@link Route} can't, so it is never wanted. */
export interface OddRoute {
  readonly table: number;
  readonly destination: string;
  readonly metric?: number;
  /** As `ip -N` prints it. */
  readonly type: string;
}

/** Values as they were before Binder's first change, by key. */
export type Saved = Readonly<Record<string, SavedValue>>;

export interface SavedValue {
  readonly former: string;
  /** What Binder has written since. Any other value found is somebody else's, and stays. */
  readonly ours: readonly string[];
}

/** The key under which the MPTCP limit of subflows is saved. No sysctl has a space in its name. */
export const SUBFLOW_LIMIT = "mptcp subflow limit";

/** What the kernel has of Binder's. `sysctls` has the present values of the keys asked for, those that exist. */
export interface ActualState extends KernelState {
  readonly devices: readonly ActualDevice[];
  readonly addresses: readonly ActualAddress[];
  readonly endpoints: readonly ActualEndpoint[];
  readonly oddRules: readonly OddRule[];
  readonly oddRoutes: readonly OddRoute[];
  /** Identifiers of all endpoints, other people's too. */
  readonly endpointIds: readonly number[];
  /** False where the kernel has no MPTCP; `subflowLimit` is 0 then. */
  readonly hasMptcp: boolean;
  readonly saved: Saved;
}
