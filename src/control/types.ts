import { RUN_DIRECTORY } from "../plan/run-directory.ts";

/**
 * The method table that the daemon serves on its control socket (and on ubus), and the shape of what it answers. Names and units are
 * those that `binder status --json` prints.
 */

export type GatewayStateName = "disabled" | "starting" | "up" | "suspect" | "down" | "holding" | "standby";
export type TransportName = "proxy" | "tunnel" | "direct" | "off";

export interface GatewayStatus {
  readonly name: string;
  readonly number: number;
  readonly state: GatewayStateName;
  /** Seconds since it came into this state. */
  readonly since: number;
  /** Why it is in this state, in a person's words; empty if all is well. */
  readonly reason: string;
  /** Round trip to the relay, milliseconds; null until one is measured. */
  readonly delay_ms: number | null;
  /** Share of probes lost, 0 to 1. */
  readonly loss: number;
  /** Bits per second, as carried by the lane's device over the last seconds. */
  readonly down_bps: number;
  readonly up_bps: number;
  /** What to do about it; empty if nothing. */
  readonly advice: string;
}

export interface HomeStatus {
  readonly role: "home";
  readonly version: string;
  readonly transport: TransportName;
  readonly relay: { readonly name: string; readonly state: "up" | "down" | "none" };
  readonly gateways: readonly GatewayStatus[];
  readonly warnings: readonly string[];
}

export interface RelayHomeStatus {
  readonly name: string;
  readonly number: number;
  /** Lanes by number over which it was heard lately. */
  readonly lanes: readonly number[];
  /** Seconds since it was last heard; null: never. */
  readonly last_seen: number | null;
}

export interface RelayStatus {
  readonly role: "relay";
  readonly version: string;
  readonly homes: readonly RelayHomeStatus[];
  readonly warnings: readonly string[];
}

export type MethodName = "status" | "gateways" | "reload" | "gateway_up" | "gateway_down" | "events" | "stop";

export interface ControlRequest {
  readonly id: number;
  readonly method: string;
  readonly args: Readonly<Record<string, unknown>>;
}

export type ControlResponse =
  | { readonly id: number; readonly status: 0; readonly data: unknown }
  | { readonly id: number; readonly status: number; readonly error: string };

export const CONTROL_SOCKET = `${RUN_DIRECTORY}/control.sock`;
export const RELAY_CONTROL_SOCKET = `${RUN_DIRECTORY}/relay.sock`;
