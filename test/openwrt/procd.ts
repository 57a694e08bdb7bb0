import type { Answer } from "./uci.ts";

interface Instance {
  /** All that was said of it, and what its files hold: procd compares these (instance_config_changed, service/instance.c). */
  readonly settings: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** What happened to the daemon: it was begun, told to end, or told to read its configuration again. */
export type Event = "start" | "term" | "hup";

/**
 * Stands for procd and its ubus object `service`, after service/service.c and service/instance.c: `set` begins an instance, begins one
 * anew whose settings or files differ, leaves one alone that is the same, and ends one that is no more named; `delete` ends it.
 */
export class Procd {
  readonly events: Event[] = [];
  /** Called when the daemon is told to end. */
  onTerm: () => void = () => undefined;
  readonly #hash: (path: string) => string;
  #instance: Instance | undefined;
  #triggers: readonly string[] = [];

  constructor(hash: (path: string) => string) {
    this.#hash = hash;
  }

  get running(): boolean {
    return this.#instance !== undefined;
  }

  /** Of the instance that runs: its command, respawn and so on, the words of each joined by spaces. */
  parameter(name: string): string | undefined {
    return this.#instance?.parameters.get(name);
  }

  /** Configurations whose change reloads the service. */
  get triggers(): readonly string[] {
    return this.#triggers;
  }

  run([command = "", , argument = ""]: readonly string[]): Answer {
    switch (command) {
      case "set":
        this.#set(argument);
        break;
      case "delete":
        this.#end();
        break;
      case "running":
        return { status: this.running ? 0 : 1, text: "" };
      case "signal":
        if (this.#instance !== undefined) this.events.push("hup");
        break;
      default:
        return { status: 2, text: `procd: ${command}` };
    }
    return { status: 0, text: "" };
  }

  #end(): void {
    if (this.#instance === undefined) return;
    this.#instance = undefined;
    this.events.push("term");
    this.onTerm();
  }

  #set(said: string): void {
    const lines = said.split("\n").filter((line) => line !== "");
    const parameters = new Map(
      lines.map((line): [string, string] => {
        const [key = "", ...rest] = line.split(" ");
        return [key, rest.join(" ")];
      }),
    );
    this.#triggers = parameters.get("reload_trigger")?.split(" ") ?? [];
    const before = this.#instance;
    if (!parameters.has("instance")) {
      this.#end();
      return;
    }
    const files = (parameters.get("file") ?? "").split(" ").filter((path) => path !== "");
    const settings = [said, ...files.map((path) => this.#hash(path))].join("\n");
    if (before?.settings === settings) return;
    this.#end();
    this.events.push("start");
    this.#instance = { settings, parameters };
  }
}
