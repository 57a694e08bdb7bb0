import type { Host } from "../host/types.ts";
import type { Saved, SavedValue } from "./actual.ts";
import { KernelReadError } from "./read-error.ts";
import { asList, asText, isObject } from "./json.ts";

const FILE = "kernel.json";

function parseSaved(text: string): Saved {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The file is replaced whole or not at all; what is no JSON was never written by Binder.
    return {};
  }
  const entries: [string, SavedValue][] = [];
  for (const [key, item] of Object.entries(isObject(value) ? value : {})) {
    const former = isObject(item) ? asText(item["former"]) : undefined;
    const ours = isObject(item) ? asList(item["ours"]).filter((text) => typeof text === "string") : [];
    if (former !== undefined) entries.push([key, { former, ours }]);
  }
  return Object.fromEntries(entries);
}

/** Former values of what Binder changed, in one file of the saved directory: written before the change, so that a crash loses none. */
export class SavedValues {
  readonly #host: Host;
  readonly #directory: string;

  constructor(host: Host, directory: string) {
    this.#host = host;
    this.#directory = directory;
  }

  /** Rejects with KernelReadError if there are values that can't be read: a change would overwrite them. */
  async read(): Promise<Saved> {
    const path = `${this.#directory}/${FILE}`;
    try {
      if ((await this.#host.files.status(path)) === undefined) return {};
      return parseSaved(new TextDecoder().decode(await this.#host.files.read(path)));
    } catch (error) {
      throw new KernelReadError(`could not read what was saved in ${path}: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
  }

  /** Replaces all; without any, the file goes. Rejects with the host's error. */
  async write(saved: Saved): Promise<void> {
    const path = `${this.#directory}/${FILE}`;
    if (Object.keys(saved).length === 0) {
      await this.#host.files.remove(path);
      return;
    }
    await this.#host.files.makeDirectory(this.#directory, 0o700);
    await this.#host.files.replace(path, new TextEncoder().encode(`${JSON.stringify(saved, null, 2)}\n`), 0o600);
  }
}
