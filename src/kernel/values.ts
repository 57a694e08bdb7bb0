/** Values that Binder shares with everybody: sysctls, and the MPTCP limit of subflows. They are put back when Binder goes. */
import { type ActualState, SUBFLOW_LIMIT, type SavedValue } from "./actual.ts";
import type { Memory, Operation } from "./operations.ts";
import type { KernelState, Sysctl } from "./state.ts";
import { canonicalValue } from "./text.ts";

/** Each number at least as large as wanted; a value that is no list of as many integers gives way. */
export function raised(present: string, wanted: string): string {
  const have = present.split(" ");
  const want = wanted.split(" ");
  const integers = [...have, ...want].every((word) => /^-?[0-9]{1,15}$/.test(word));
  if (have.length !== want.length || !integers) return wanted;
  return want.map((word, i) => String(Math.max(Number(word), Number(have[i])))).join(" ");
}

/** Sysctls of one device come and go with it: `net/ipv4/conf/binder-1/rp_filter`. Undefined if it is no such key. */
export function deviceOfKey(key: string): string | undefined {
  return /^net\/(?:ipv4|ipv6)\/(?:conf|neigh)\/([^/]+)\//.exec(key)?.[1];
}

interface Step {
  readonly value: string;
  readonly memory: Memory;
}

/** Towards the wanted value, from what is there and what was there before Binder. Undefined: nothing to do. */
function stepTo(wanted: Sysctl, present: string, saved: SavedValue | undefined): Step | undefined {
  const ours = saved?.ours.includes(present) === true ? saved : undefined;
  const base = ours?.former ?? present;
  const value = canonicalValue(wanted.value);
  const target = wanted.mode === "raise" ? raised(base, value) : value;
  if (target === present) return undefined;
  if (target === base) return { value: target, memory: { kind: "drop", key: wanted.key } };
  const written = [...(ours?.ours ?? []), target];
  return { value: target, memory: { kind: "keep", key: wanted.key, value: { former: base, ours: [...new Set(written)] } } };
}

function operationOf(key: string, step: Step): Operation {
  if (key === SUBFLOW_LIMIT) return { kind: "set-subflow-limit", limit: Number(step.value), memory: step.memory };
  return { kind: "write-sysctl", key, value: step.value, memory: step.memory };
}

/** All shared values that the state wants, the limit of subflows as one of them. */
function wantedValues(state: KernelState): readonly Sysctl[] {
  if (state.subflowLimit === 0) return state.sysctls;
  return [...state.sysctls, { key: SUBFLOW_LIMIT, mode: "raise", value: String(state.subflowLimit) }];
}

function presentValues(actual: ActualState): ReadonlyMap<string, string> {
  const values = new Map(actual.sysctls.map((sysctl) => [sysctl.key, canonicalValue(sysctl.value)]));
  if (actual.hasMptcp) values.set(SUBFLOW_LIMIT, String(actual.subflowLimit));
  return values;
}

/**
 * Writes that bring values to what is wanted. `made` are devices that this same change makes: their sysctls are written unseen.
 * A sysctl that the kernel does not have is passed over: what it would switch is not there either.
 */
export function valuesToSet(desired: KernelState, actual: ActualState, made: ReadonlySet<string>): Operation[] {
  const present = presentValues(actual);
  const operations: Operation[] = [];
  for (const wanted of wantedValues(desired)) {
    const device = deviceOfKey(wanted.key);
    const value = present.get(wanted.key);
    if (device !== undefined && made.has(device)) {
      operations.push({ kind: "write-sysctl", key: wanted.key, value: canonicalValue(wanted.value), memory: { kind: "none" } });
    } else if (value !== undefined) {
      const step = stepTo(wanted, value, actual.saved[wanted.key]);
      const own = device !== undefined && actual.devices.some(({ name }) => name === device);
      if (step) operations.push(operationOf(wanted.key, own ? { ...step, memory: { kind: "none" } } : step));
    }
  }
  return operations;
}

/** Puts back what is no longer wanted and still has Binder's value. */
export function valuesToRestore(desired: KernelState, actual: ActualState): Operation[] {
  const present = presentValues(actual);
  const wanted = new Set(wantedValues(desired).map(({ key }) => key));
  const operations: Operation[] = [];
  for (const [key, saved] of Object.entries(actual.saved)) {
    if (wanted.has(key)) continue;
    const value = present.get(key);
    const ours = value !== undefined && saved.ours.includes(value);
    operations.push(ours ? operationOf(key, { value: saved.former, memory: { kind: "drop", key } }) : { kind: "forget", key });
  }
  return operations;
}
