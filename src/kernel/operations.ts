import type { ActualAddress, OddRoute, OddRule } from "./actual.ts";
import type { Address, Endpoint, Route, Rule, TunDevice } from "./state.ts";
import { addressText, deviceText, endpointText, routeKey, routeText, ruleText } from "./text.ts";

/** What to remember of a value before Binder changes it. */
export interface Remember {
  readonly former: string;
  readonly ours: readonly string[];
}

/** One step from the actual state to the desired one. */
export type Operation = IpOperation | ValueOperation | NftOperation;

/** What `ip` does; consecutive ones share a process. */
export type IpOperation =
  | { readonly kind: "add-device"; readonly device: TunDevice }
  /** MTU, queue, and up. */
  | { readonly kind: "change-device"; readonly device: TunDevice }
  | { readonly kind: "remove-device"; readonly name: string }
  | { readonly kind: "add-address"; readonly address: Address }
  | { readonly kind: "remove-address"; readonly address: ActualAddress }
  | { readonly kind: "add-rule"; readonly rule: Rule }
  | { readonly kind: "remove-rule"; readonly rule: Rule }
  | { readonly kind: "remove-odd-rule"; readonly rule: OddRule }
  | { readonly kind: "add-route"; readonly route: Route }
  | { readonly kind: "replace-route"; readonly route: Route }
  | { readonly kind: "remove-route"; readonly route: Route }
  | { readonly kind: "remove-odd-route"; readonly route: OddRoute }
  | { readonly kind: "add-endpoint"; readonly endpoint: Endpoint }
  | { readonly kind: "change-endpoint"; readonly id: number; readonly endpoint: Endpoint }
  | { readonly kind: "remove-endpoint"; readonly id: number; readonly address: string }
  | { readonly kind: "set-subflow-limit"; readonly limit: number; readonly memory: Memory };

/** What becomes of the saved former value: kept before the write, or dropped after it, or there is none to keep. */
export type Memory =
  | { readonly kind: "keep"; readonly key: string; readonly value: Remember }
  | { readonly kind: "drop"; readonly key: string }
  | { readonly kind: "none" };

export type ValueOperation =
  | { readonly kind: "write-sysctl"; readonly key: string; readonly value: string; readonly memory: Memory }
  /** The value is no longer Binder's, so there is nothing to put back. */
  | { readonly kind: "forget"; readonly key: string };

export type NftOperation = { readonly kind: "replace-nft"; readonly body: string } | { readonly kind: "remove-nft" };

export type IpKind = IpOperation["kind"];

/** The operation in words, for errors and logs. */
export function operationText(operation: Operation): string {
  switch (operation.kind) {
    case "add-device":
      return `add ${deviceText(operation.device)}`;
    case "change-device":
      return `change ${deviceText(operation.device)}`;
    case "remove-device":
      return `remove device ${operation.name}`;
    case "add-address":
      return `add ${addressText(operation.address)}`;
    case "remove-address":
      return `remove ${addressText(operation.address)}`;
    case "add-rule":
      return `add ${ruleText(operation.rule)}`;
    case "remove-rule":
      return `remove ${ruleText(operation.rule)}`;
    case "remove-odd-rule":
      return `remove rule ${operation.rule.preference}`;
    case "add-route":
      return `add ${routeText(operation.route)}`;
    case "replace-route":
      return `replace ${routeText(operation.route)}`;
    case "remove-route":
      return `remove ${routeText(operation.route)}`;
    case "remove-odd-route":
      return `remove route ${routeKey(operation.route)}`;
    case "add-endpoint":
      return `add ${endpointText(operation.endpoint)}`;
    case "change-endpoint":
      return `change ${endpointText(operation.endpoint)}`;
    case "remove-endpoint":
      return `remove endpoint ${operation.address}`;
    case "set-subflow-limit":
      return `set the MPTCP limit of subflows to ${operation.limit}`;
    case "write-sysctl":
      return `write ${operation.value} to sysctl ${operation.key}`;
    case "forget":
      return `forget the former value of ${operation.key}`;
    case "replace-nft":
      return "replace the nft table";
    case "remove-nft":
      return "remove the nft table";
  }
}

/** An operation that could not be done. The others were done all the same. */
export class OperationFailure extends Error {
  override readonly name = "OperationFailure";
  readonly operation: Operation;
  /** What the kernel, or the program that asked it, said. */
  readonly words: string;
  constructor(operation: Operation, words: string, options?: { cause?: unknown }) {
    super(`could not ${operationText(operation)}: ${words}`, options);
    this.operation = operation;
    this.words = words;
  }
}
