import { type Host, HostError } from "../host/types.ts";
import { Turn } from "../process/turn.ts";
import { type ActualState, type Saved, SUBFLOW_LIMIT } from "./actual.ts";
import { diff } from "./diff.ts";
import { EndpointIds } from "./endpoint-ids.ts";
import { type GroupResult, Ip } from "./ip.ts";
import { NftTable } from "./nft-table.ts";
import { type IpOperation, type Memory, type NftOperation, type Operation, OperationFailure, type ValueOperation } from "./operations.ts";
import { KernelReadError } from "./read-error.ts";
import { SavedValues } from "./saved.ts";
import { emptyState, type KernelState, type Ownership, type Route } from "./state.ts";
import { readSysctls, writeSysctl } from "./sysctl.ts";

/** Rounds of reading and changing before a set gives up on what still differs. */
const ROUNDS = 3;

/** What the kernel answers with more than was asked: addresses and devices take routes along (fib_frontend.c), a rule's deletion may hit its like. */
const SIDE_EFFECTS: ReadonlySet<Operation["kind"]> = new Set(["remove-address", "remove-device", "remove-rule", "remove-odd-rule"]);

/** Three verbs over all that Binder has in the kernel. Calls wait for each other. */
export class Kernel {
  readonly #host: Host;
  readonly #ip: Ip;
  readonly #nft: NftTable;
  readonly #saved: SavedValues;
  /** Sysctls that the last set wanted. */
  #keys: readonly string[] = [];
  readonly #turn = new Turn();

  constructor(host: Host, ownership: Ownership) {
    const run = ownership.savedDirectory.slice(0, ownership.savedDirectory.lastIndexOf("/"));
    this.#host = host;
    this.#ip = new Ip(host, ownership, new EndpointIds(host.random(1)[0] ?? 0));
    this.#nft = new NftTable(host, ownership.nftTable, `${run}/nft.json`);
    this.#saved = new SavedValues(host, ownership.savedDirectory);
  }

  /** What the kernel has of Binder's. Rejects with KernelReadError. */
  async read(signal: AbortSignal): Promise<ActualState> {
    return await this.#turn.take(() => this.#read(signal));
  }

  /**
   * Makes the kernel's state the desired one, by what differs alone: nothing if nothing does. A failure stops none of the others;
   * all are answered. Rejects with KernelReadError if the state can't be read, and with the signal's reason.
   */
  async set(desired: KernelState, signal: AbortSignal): Promise<readonly OperationFailure[]> {
    return await this.#turn.take(async () => {
      this.#keys = desired.sysctls.map(({ key }) => key);
      return await this.#converge(desired, (actual) => actual, signal);
    });
  }

  /**
   * Removes MPTCP endpoints and replaces routes at once, without waiting for a set that is under way: a lane that fell silent holds up every
   * connection. Rejects with KernelReadError, or OperationFailure.
   */
  async leave(addresses: readonly string[], instead: readonly Route[], signal: AbortSignal): Promise<void> {
    const [failure] = (await this.#ip.leave(addresses, instead, signal)).failures;
    if (failure !== undefined) throw failure;
  }

  /** Removes all of Binder's and puts former values back, whatever is left of it. Answers as set does. */
  async cleanup(signal: AbortSignal): Promise<readonly OperationFailure[]> {
    return await this.#turn.take(async () => {
      this.#keys = [];
      // Endpoints that the kernel made for Binder's addresses go as well.
      const all = (actual: ActualState): ActualState => ({
        ...actual,
        endpoints: actual.endpoints.map((endpoint) => ({ ...endpoint, implicit: false })),
      });
      const failures = await this.#converge(emptyState, all, signal);
      await this.#nft.forget();
      return failures;
    });
  }

  async #read(signal: AbortSignal): Promise<ActualState> {
    const [ip, nft, saved] = await Promise.all([this.#ip.read(signal), this.#nft.read(signal), this.#saved.read()]);
    const keys = new Set([...this.#keys, ...Object.keys(saved)]);
    keys.delete(SUBFLOW_LIMIT);
    return { ...ip, nft, saved, sysctls: await readSysctls(this.#host, keys) };
  }

  async #converge(
    desired: KernelState,
    view: (actual: ActualState) => ActualState,
    signal: AbortSignal,
  ): Promise<readonly OperationFailure[]> {
    let failures: readonly OperationFailure[] = [];
    let singly = false;
    for (let round = 1; round <= ROUNDS; round += 1) {
      const actual = view(await this.#read(signal));
      const operations = diff(desired, actual);
      if (operations.length === 0) return [];
      const result = await this.#apply(operations, actual, singly, signal);
      failures = result.failures;
      singly ||= result.aborted;
      const settled = !result.aborted && !hasSideEffects(operations) && (failures.length === 0 || round > 1);
      if (settled) break;
    }
    return failures;
  }

  /** Does all operations in order. `singly`: each in a process of its own, as one of them makes `ip` give up. */
  async #apply(operations: readonly Operation[], actual: ActualState, singly: boolean, signal: AbortSignal): Promise<GroupResult> {
    const failures: OperationFailure[] = [];
    const unsaved = await this.#remember(operations, actual.saved);
    const used = new Set(actual.endpointIds);
    const dropped: string[] = [];
    for (const group of grouped(operations, singly)) {
      const failed: OperationFailure[] = [];
      const allowed = group.operations.filter((operation) => {
        if (unsaved === undefined || memoryOf(operation).kind !== "keep") return true;
        failed.push(new OperationFailure(operation, `its former value could not be saved: ${unsaved}`));
        return false;
      });
      if (group.ip) {
        const result = await this.#ip.apply(allowed.filter(isIp), used, signal);
        failed.push(...result.failures);
        if (result.aborted && !singly) return { failures: [...failures, ...failed], aborted: true };
      } else {
        for (const operation of allowed) {
          const words = isIp(operation) ? undefined : await this.#do(operation, signal);
          if (words !== undefined) failed.push(new OperationFailure(operation, words));
        }
      }
      for (const operation of allowed) {
        const memory = memoryOf(operation);
        if (memory.kind === "drop" && !failed.some((failure) => failure.operation === operation)) dropped.push(memory.key);
      }
      failures.push(...failed);
    }
    if (dropped.length > 0) await this.#forget(dropped);
    return { failures, aborted: false };
  }

  async #do(operation: ValueOperation | NftOperation, signal: AbortSignal): Promise<string | undefined> {
    switch (operation.kind) {
      case "write-sysctl":
        return await writeSysctl(this.#host, operation.key, operation.value);
      case "forget":
        return undefined;
      case "replace-nft":
        return await this.#nft.replace(operation.body, signal);
      case "remove-nft":
        return await this.#nft.remove(signal);
    }
  }

  /** Saves former values before the first change. Answers why it could not; undefined: well. */
  async #remember(operations: readonly Operation[], saved: Saved): Promise<string | undefined> {
    const kept = operations.map(memoryOf).filter((memory) => memory.kind === "keep");
    if (kept.length === 0) return undefined;
    try {
      await this.#saved.write({ ...saved, ...Object.fromEntries(kept.map(({ key, value }) => [key, value])) });
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  async #forget(keys: readonly string[]): Promise<void> {
    try {
      const saved = Object.entries(await this.#saved.read()).filter(([key]) => !keys.includes(key));
      await this.#saved.write(Object.fromEntries(saved));
    } catch (error) {
      // An entry too many does no harm: its value is not Binder's any more, and the next set tries again.
      if (!(error instanceof HostError || error instanceof KernelReadError)) throw error;
    }
  }
}

function hasSideEffects(operations: readonly Operation[]): boolean {
  return operations.some(({ kind }) => SIDE_EFFECTS.has(kind));
}

function memoryOf(operation: Operation): Memory {
  if (operation.kind === "forget") return { kind: "drop", key: operation.key };
  return operation.kind === "write-sysctl" || operation.kind === "set-subflow-limit" ? operation.memory : { kind: "none" };
}

function isIp(operation: Operation): operation is IpOperation {
  switch (operation.kind) {
    case "write-sysctl":
    case "forget":
    case "replace-nft":
    case "remove-nft":
      return false;
    default:
      return true;
  }
}

interface Group {
  readonly ip: boolean;
  readonly operations: Operation[];
}

/** Consecutive operations of the same kind of program. */
function grouped(operations: readonly Operation[], singly: boolean): Group[] {
  const groups: Group[] = [];
  for (const operation of operations) {
    const last = groups.at(-1);
    if (last && !singly && last.ip === isIp(operation)) last.operations.push(operation);
    else groups.push({ ip: isIp(operation), operations: [operation] });
  }
  return groups;
}
