import type { ActualState, Saved } from "../../src/kernel/actual.ts";
import { SUBFLOW_LIMIT } from "../../src/kernel/actual.ts";
import type { Memory, Operation } from "../../src/kernel/operations.ts";
import { emptyState, type KernelState } from "../../src/kernel/state.ts";
import { addressText, routeKey, routeText, ruleText } from "../../src/kernel/text.ts";
import { deviceOfKey } from "../../src/kernel/values.ts";

export const nothing: ActualState = {
  ...emptyState,
  devices: [],
  addresses: [],
  endpoints: [],
  oddRules: [],
  oddRoutes: [],
  endpointIds: [],
  hasMptcp: true,
  subflowLimit: 2,
  saved: {},
};

function without<T>(items: readonly T[], textOf: (item: T) => string, text: string): T[] {
  const at = items.findIndex((item) => textOf(item) === text);
  if (at < 0) throw new Error(`${text} is not there to remove`);
  return items.filter((_, i) => i !== at);
}

function withNew<T>(items: readonly T[], textOf: (item: T) => string, item: T): T[] {
  if (items.some((other) => textOf(other) === textOf(item))) throw new Error(`${textOf(item)} is there already`);
  return [...items, item];
}

function remember(saved: Saved, memory: Memory): Saved {
  switch (memory.kind) {
    case "keep":
      return { ...saved, [memory.key]: memory.value };
    case "drop":
      return Object.fromEntries(Object.entries(saved).filter(([key]) => key !== memory.key));
    case "none":
      return saved;
  }
}

/** A kernel in a few lines: takes an operation or refuses it, as the real one would. Defaults of a new device's sysctls are "0". */
export function applyToModel(state: ActualState, operation: Operation): ActualState {
  switch (operation.kind) {
    case "add-device": {
      const device = { ...operation.device, up: true, persistentTun: true };
      return { ...state, devices: withNew(state.devices, ({ name }) => name, device) };
    }
    case "change-device":
      return {
        ...state,
        devices: [
          ...without(state.devices, ({ name }) => name, operation.device.name),
          { ...operation.device, up: true, persistentTun: true },
        ],
      };
    case "remove-device":
      return {
        ...state,
        devices: without(state.devices, ({ name }) => name, operation.name),
        addresses: state.addresses.filter(({ device }) => device !== operation.name),
        routes: state.routes.filter(({ nextHops }) => !nextHops.some(({ device }) => device === operation.name)),
        sysctls: state.sysctls.filter(({ key }) => deviceOfKey(key) !== operation.name),
      };
    case "add-address":
      return { ...state, addresses: withNew(state.addresses, addressText, operation.address) };
    case "remove-address":
      return { ...state, addresses: without(state.addresses, addressText, addressText(operation.address)) };
    case "add-rule":
      return { ...state, rules: withNew(state.rules, ruleText, operation.rule) };
    case "remove-rule":
      return { ...state, rules: without(state.rules, ruleText, ruleText(operation.rule)) };
    case "remove-odd-rule":
      return { ...state, oddRules: without(state.oddRules, ({ preference }) => `${preference}`, `${operation.rule.preference}`) };
    case "add-route":
      return { ...state, routes: withNew(state.routes, routeKey, operation.route) };
    case "replace-route": {
      const key = routeKey(operation.route);
      const odd = state.oddRoutes.some((route) => routeKey(route) === key);
      if (odd)
        return { ...state, oddRoutes: without(state.oddRoutes, routeKey, key), routes: withNew(state.routes, routeKey, operation.route) };
      return { ...state, routes: [...without(state.routes, routeKey, key), operation.route] };
    }
    case "remove-route":
      return { ...state, routes: without(state.routes, routeText, routeText(operation.route)) };
    case "remove-odd-route":
      return { ...state, oddRoutes: without(state.oddRoutes, routeKey, routeKey(operation.route)) };
    case "add-endpoint": {
      if (state.endpoints.length >= 8) throw new Error("too many endpoints");
      const id = Math.max(0, ...state.endpointIds) + 1;
      const endpoint = { ...operation.endpoint, id, odd: false, implicit: false };
      return { ...state, endpoints: withNew(state.endpoints, ({ address }) => address, endpoint), endpointIds: [...state.endpointIds, id] };
    }
    case "change-endpoint": {
      const found = state.endpoints.find(({ id }) => id === operation.id);
      if (!found) throw new Error("no such endpoint");
      const others = state.endpoints.filter(({ id }) => id !== operation.id);
      return { ...state, endpoints: [...others, { ...found, backup: operation.endpoint.backup }] };
    }
    case "remove-endpoint":
      return { ...state, endpoints: without(state.endpoints, ({ id }) => `${id}`, `${operation.id}`) };
    case "set-subflow-limit":
      return { ...state, subflowLimit: operation.limit, saved: remember(state.saved, operation.memory) };
    case "write-sysctl": {
      const device = deviceOfKey(operation.key);
      if (device?.startsWith("binder-") === true && !state.devices.some(({ name }) => name === device)) throw new Error("no such sysctl");
      const others = state.sysctls.filter(({ key }) => key !== operation.key);
      return {
        ...state,
        sysctls: [...others, { key: operation.key, mode: "set", value: operation.value }],
        saved: remember(state.saved, operation.memory),
      };
    }
    case "forget":
      return { ...state, saved: remember(state.saved, { kind: "drop", key: operation.key }) };
    case "replace-nft":
      return { ...state, nft: operation.body };
    case "remove-nft":
      if (state.nft === undefined) throw new Error("no table");
      return { ...state, nft: undefined };
  }
}

/** What should be there once the state is reached, as far as text can say it: former values depend on what was there before. */
export function comparable(state: KernelState): KernelState {
  return { ...state, sysctls: [], subflowLimit: 0 };
}

export { SUBFLOW_LIMIT };
