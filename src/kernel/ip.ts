/** Runs `ip`: one process to read everything, one for a group of changes. */
import type { Host } from "../host/types.ts";
import { type Prefix, parsePrefix } from "../plan/addresses.ts";
import type { ActualState } from "./actual.ts";
import type { EndpointIds } from "./endpoint-ids.ts";
import { hostWords } from "./host-words.ts";
import { type IpOperation, OperationFailure } from "./operations.ts";
import { parseEndpoints, parseLinks, parseRoutes, parseRules, parseSubflowLimit } from "./parse-ip.ts";
import { KernelReadError } from "./read-error.ts";
import { RenderError, renderIp } from "./render-ip.ts";
import type { Ownership, Route } from "./state.ts";

/** All of an {@link ActualState} that `ip` prints. */
export type IpState = Omit<ActualState, "sysctls" | "nft" | "saved">;

export interface GroupResult {
  readonly failures: readonly OperationFailure[];
  /** `ip` ended in the middle of the lines, and nobody knows at which: read again before the next step. */
  readonly aborted: boolean;
}

const PACKAGES = "iproute2 (OpenWrt: ip-full)";
const ENCODER = new TextEncoder();
const DECODER = new TextDecoder();

export class Ip {
  readonly #host: Host;
  readonly #ownership: Ownership;
  readonly #ids: EndpointIds;
  readonly #queries: readonly string[];
  /** Identifiers of our endpoints by address, as last read or added: somebody may have changed them since. */
  #known = new Map<string, number>();

  constructor(host: Host, ownership: Ownership, ids: EndpointIds) {
    this.#host = host;
    this.#ownership = ownership;
    this.#ids = ids;
    // Without -4: it would hide the devices that have no address yet.
    this.#queries = [
      "address show",
      "rule show",
      `route show table all protocol ${ownership.protocol}`,
      "mptcp endpoint show",
      "mptcp limits show",
    ];
  }

  async read(signal: AbortSignal): Promise<IpState> {
    const all = await this.#query(this.#queries, signal);
    // One line for each query; when a query failed (a kernel without MPTCP), each has to be asked by itself.
    const answers = all.status === 0 && all.lines.length === this.#queries.length ? all.lines : await this.#readSingly(signal);
    const state = parseReading(answers, this.#ownership);
    this.#known = new Map(state.endpoints.flatMap(({ address, id, implicit }) => (implicit ? [] : [[address, id]])));
    return state;
  }

  async #query(queries: readonly string[], signal: AbortSignal): Promise<{ status: number; lines: string[]; words: string }> {
    try {
      const input = ENCODER.encode(queries.map((query) => `${query}\n`).join(""));
      const result = await this.#host.processes.run("ip", ["-N", "-details", "-json", "-batch", "-"], signal, { input });
      const lines = DECODER.decode(result.stdout)
        .split("\n")
        .filter((line) => line.trim() !== "");
      return { status: result.status, lines, words: DECODER.decode(result.stderr).trim() };
    } catch (error) {
      signal.throwIfAborted();
      throw new KernelReadError(`could not read the kernel's state: ${hostWords(error, "ip", PACKAGES)}`, { cause: error });
    }
  }

  async #readSingly(signal: AbortSignal): Promise<string[]> {
    const answers: string[] = [];
    for (const query of this.#queries) {
      const { status, lines, words } = await this.#query([query], signal);
      const optional = query.startsWith("mptcp ");
      if (status !== 0 && !optional) {
        throw new KernelReadError(
          `could not read the kernel's state: ip ${query}: ${words} (BusyBox's ip does not do: install ${PACKAGES})`,
        );
      }
      answers.push(status === 0 ? lines.join(" ") : "");
    }
    return answers;
  }

  /** Puts these routes in the place of others, and removes the MPTCP endpoints of these addresses, whatever their identifiers; none is no error. */
  async leave(addresses: readonly string[], instead: readonly Route[], signal: AbortSignal): Promise<GroupResult> {
    const routes = instead.map((route): IpOperation => ({ kind: "replace-route", route }));
    const known = addresses.flatMap((address): IpOperation[] => {
      const id = this.#known.get(address);
      return id === undefined ? [] : [{ kind: "remove-endpoint", id, address }];
    });
    if (known.length === addresses.length) {
      // Without asking first: that would take as long again, and every connection waits.
      const result = await this.apply([...known, ...routes], new Set(), signal);
      if (result.failures.length === 0) return result;
    }
    const { lines } = await this.#query(["mptcp endpoint show"], signal);
    const { endpoints } = parseEndpoints(parseAnswer(lines.join(" ")), this.#ownership.prefixes.map(ownPrefix));
    const operations = endpoints
      .filter((endpoint) => addresses.includes(endpoint.address) && !endpoint.implicit)
      .map(({ id, address }): IpOperation => ({ kind: "remove-endpoint", id, address }));
    return await this.apply([...operations, ...routes], new Set(), signal);
  }

  /** Does the operations in order, going on after a failure, in one process. `used` are identifiers of present endpoints. */
  async apply(operations: readonly IpOperation[], used: ReadonlySet<number>, signal: AbortSignal): Promise<GroupResult> {
    const lines: string[] = [];
    const owners: IpOperation[] = [];
    const failures = new Map<IpOperation, OperationFailure>();
    const fail = (operation: IpOperation, words: string, cause?: unknown): void => {
      // The first of an operation's words say what was wrong.
      if (!failures.has(operation)) failures.set(operation, new OperationFailure(operation, words, { cause }));
    };
    for (const operation of operations) {
      try {
        const newId = (): number => {
          const id = this.#ids.next(used);
          if (operation.kind === "add-endpoint") this.#known.set(operation.endpoint.address, id);
          return id;
        };
        if (operation.kind === "remove-endpoint") this.#known.delete(operation.address);
        for (const line of renderIp(operation, this.#ownership.protocol, newId)) {
          lines.push(line);
          owners.push(operation);
        }
      } catch (error) {
        if (!(error instanceof RenderError)) throw error;
        fail(operation, error.message, error);
      }
    }
    if (lines.length === 0) return { failures: [...failures.values()], aborted: false };
    try {
      const input = ENCODER.encode(lines.map((line) => `${line}\n`).join(""));
      const { status, stderr } = await this.#host.processes.run("ip", ["-4", "-force", "-batch", "-"], signal, { input });
      const report = parseBatchErrors(DECODER.decode(stderr));
      for (const { line, words } of report.failed) {
        const owner = owners[line - 1];
        if (owner) fail(owner, words);
      }
      const aborted = status !== 0 && (status !== 1 || report.failed.length === 0 || report.rest !== "");
      // Where `ip` had but one operation, it is clear which one it ended at.
      const [only] = operations;
      if (aborted && operations.length === 1 && only) fail(only, report.rest === "" ? `ip ended with status ${status}` : report.rest);
      return { failures: [...failures.values()], aborted };
    } catch (error) {
      signal.throwIfAborted();
      for (const operation of operations) fail(operation, hostWords(error, "ip", PACKAGES), error);
      return { failures: [...failures.values()], aborted: false };
    }
  }
}

/** The state of `ip`'s answers to the queries, in their order; an empty one where the kernel has no MPTCP. Throws KernelReadError. */
export function parseReading(answers: readonly string[], { devicePrefix, prefixes, protocol }: Ownership): IpState {
  const [links, rules, routes, endpoints, limits = ""] = answers;
  const own = prefixes.map(ownPrefix);
  const { ids, ...mptcp } = parseEndpoints(parseAnswer(endpoints), own);
  const limit = parseSubflowLimit(limits);
  return {
    ...parseLinks(parseAnswer(links), devicePrefix, own),
    ...parseRules(parseAnswer(rules), protocol),
    ...parseRoutes(parseAnswer(unambiguous(routes))),
    ...mptcp,
    endpointIds: ids,
    hasMptcp: limit !== undefined,
    subflowLimit: limit ?? 0,
  };
}

function ownPrefix(text: string): Prefix {
  const prefix = parsePrefix(text);
  if (prefix === undefined) throw new RangeError(`${JSON.stringify(text)} is no IPv4 prefix to own`);
  return prefix;
}

function parseAnswer(text = ""): unknown {
  if (text === "") return [];
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch (error) {
    throw new KernelReadError(`ip printed what is no JSON: ${text.slice(0, 100)}`, { cause: error });
  }
}

/** An encapsulating route is printed with two members `dst`: the destination's, and the tunnel's within `encap`. */
function unambiguous(text = ""): string {
  return text.replace(/("encap":"[^{}]*?)"dst":/g, '$1"encap_dst":');
}

/** With -force, `ip` says why a line failed and then `Command failed -:LINE`. */
export function parseBatchErrors(stderr: string): { readonly failed: readonly { line: number; words: string }[]; readonly rest: string } {
  const failed: { line: number; words: string }[] = [];
  let words: string[] = [];
  for (const text of stderr.split("\n")) {
    const number = /^Command failed -:([0-9]+)$/.exec(text)?.[1];
    if (number === undefined) {
      if (text.trim() !== "") words.push(text.trim());
    } else {
      failed.push({ line: Number(number), words: words.join("; ") });
      words = [];
    }
  }
  return { failed, rest: words.join("; ") };
}
