import { type Host, HostError, type RunResult } from "../host/types.ts";
import { hostWords } from "./host-words.ts";
import { asText, isObject } from "./json.ts";
import { digest, stableListing } from "./nft-digest.ts";

/** The body of a table that is not as Binder left it. Differs from any body that is wanted. */
export const UNKNOWN_NFT = "# not as Binder left it\n";

const PACKAGES = "nftables (OpenWrt: nftables-json)";
const DECODER = new TextDecoder();
const ENCODER = new TextEncoder();

/**
 * One nft table, replaced as a whole in one transaction. nft prints a table in words of its own, so what was asked can't be compared
 * with what is there; instead the body and a digest of the listing right after are kept, in a file too, for the next Binder.
 */
export class NftTable {
  readonly #host: Host;
  readonly #table: string;
  readonly #file: string;
  /** What was asked for last, and the digest of the kernel's listing then. Undefined: not looked up in the file yet. */
  #left: { readonly body: string; readonly digest: string } | undefined;
  /** The last listing and its digest: as long as no counter moves the text stays the same. */
  #listed = { text: "", digest: "" };

  /** @param file - where the next Binder finds what this one left */
  constructor(host: Host, table: string, file: string) {
    if (!/^[a-z][a-z0-9_]*$/i.test(table)) throw new RangeError(`${JSON.stringify(table)} is no nft table's name`);
    this.#host = host;
    this.#table = table;
    this.#file = file;
  }

  /** The body that Binder gave, if the table still has it; UNKNOWN_NFT if it has not; undefined if there is no table. */
  async read(signal: AbortSignal): Promise<string | undefined> {
    const found = await this.#list(signal);
    if (found === undefined) return undefined;
    const left = await this.#recall();
    return found !== "" && left?.digest === found ? left.body : UNKNOWN_NFT;
  }

  /** Replaces the table in one transaction. Answers what is wrong; undefined: well. */
  async replace(body: string, signal: AbortSignal): Promise<string | undefined> {
    const refused = refusal(body);
    if (refused !== undefined) return refused;
    const name = `inet ${this.#table}`;
    const words = await this.#change(`add table ${name}\ndelete table ${name}\ntable ${name} {\n${body}\n}\n`, signal);
    if (words !== undefined) return words;
    const found = await this.#list(signal);
    if (found === undefined) return "the table is not there after it was made";
    try {
      await this.#keep({ body, digest: found });
      return undefined;
    } catch (error) {
      return `what it looks like could not be kept in ${this.#file}: ${error instanceof Error ? error.message : String(error)}`;
    }
  }

  /** Removes the table, if it is there. Answers what is wrong; undefined: well. */
  async remove(signal: AbortSignal): Promise<string | undefined> {
    const name = `inet ${this.#table}`;
    const words = await this.#change(`add table ${name}\ndelete table ${name}\n`, signal);
    if (words === undefined) await this.forget();
    return words;
  }

  /** Drops what was kept about the table. */
  async forget(): Promise<void> {
    this.#left = undefined;
    await this.#host.files.remove(this.#file);
  }

  async #change(text: string, signal: AbortSignal): Promise<string | undefined> {
    try {
      const result = await this.#host.processes.run("nft", ["-f", "-"], signal, { input: ENCODER.encode(text) });
      if (result.status === 0) return undefined;
      return DECODER.decode(result.stderr).trim() || `nft ended with status ${result.status}`;
    } catch (error) {
      signal.throwIfAborted();
      return hostWords(error, "nft", PACKAGES);
    }
  }

  /** The digest of the table's present listing; undefined if there is no table, and so if there is no nft; empty if nft fails. */
  async #list(signal: AbortSignal): Promise<string | undefined> {
    let result: RunResult;
    try {
      result = await this.#host.processes.run("nft", ["-j", "list", "table", "inet", this.#table], signal);
    } catch (error) {
      signal.throwIfAborted();
      return error instanceof HostError && error.code === "ENOENT" ? undefined : "";
    }
    // What nft can't list is an unknown table: the change that follows tells why.
    if (result.status !== 0) return DECODER.decode(result.stderr).includes("No such file or directory") ? undefined : "";
    const text = DECODER.decode(result.stdout);
    if (text !== this.#listed.text) this.#listed = { text, digest: digest(stableListing(text)) };
    return this.#listed.digest;
  }

  async #recall(): Promise<{ readonly body: string; readonly digest: string } | undefined> {
    if (this.#left === undefined && (await this.#host.files.status(this.#file)) !== undefined) {
      this.#left = parseLeft(DECODER.decode(await this.#host.files.read(this.#file)));
    }
    return this.#left;
  }

  async #keep(left: { readonly body: string; readonly digest: string }): Promise<void> {
    this.#left = left;
    await this.#host.files.makeDirectory(this.#file.slice(0, this.#file.lastIndexOf("/")), 0o755);
    await this.#host.files.replace(this.#file, ENCODER.encode(`${JSON.stringify(left)}\n`), 0o600);
  }
}

function parseLeft(text: string): { readonly body: string; readonly digest: string } | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const body = isObject(value) ? asText(value["body"]) : undefined;
    const kept = isObject(value) ? asText(value["digest"]) : undefined;
    return body === undefined || kept === undefined ? undefined : { body, digest: kept };
  } catch {
    // Not written by Binder: as if there were none, and the table is made anew.
    return undefined;
  }
}

/** Why a body can't be put between the braces of the table: it would reach beyond them, or has what nft does not carry. */
export function refusal(body: string): string | undefined {
  if (/[\u0000-\u0008\u000b-\u001f\u007f]/.test(body)) return "the table's text has control characters";
  let depth = 0;
  for (const [part] of body.matchAll(/"[^"\n]*"|#[^\n]*|[{}]|"|\binclude\b/g)) {
    if (part === '"') return "the table's text has a quote that is not closed";
    if (part === "include") return "the table's text would include a file";
    if (part === "{") depth += 1;
    if (part === "}") depth -= 1;
    if (depth < 0) break;
  }
  return depth === 0 ? undefined : "the table's text has braces that do not match";
}
