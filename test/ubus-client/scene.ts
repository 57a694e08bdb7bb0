import type { UbusTable } from "../../src/ubus-client/index.ts";
import type { Test } from "../harness/index.ts";
import { Daemon } from "./daemon.ts";

export const stay = new AbortController().signal;
export const failing = (status: string): { readonly name: string; readonly status: string } => ({ name: "UbusError", status });

export async function started(t: Test): Promise<Daemon> {
  const daemon = new Daemon(t);
  await daemon.start();
  return daemon;
}

export const ECHO = {
  echo: { arguments: { text: "string", count: "int32", yes: "bool", any: "any" }, call: (args: UbusTable) => args },
} as const;

/** What a subscriber was told. */
export interface Heard {
  readonly notes: (readonly [string, UbusTable])[];
  readonly turns: string[];
  readonly onNotification: (type: string, data: UbusTable) => void;
  readonly onUp: () => void;
  readonly onDown: () => void;
}

export function heard(): Heard {
  const notes: (readonly [string, UbusTable])[] = [];
  const turns: string[] = [];
  return {
    notes,
    turns,
    onNotification: (type, data) => notes.push([type, data]),
    onUp: () => turns.push("up"),
    onDown: () => turns.push("down"),
  };
}
