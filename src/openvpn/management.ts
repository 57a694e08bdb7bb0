import type { Host, Stream } from "../host/types.ts";

/** What OpenVPN tells over its management socket (openvpn's doc/management-notes.txt), as far as Binder listens. */
export type ManagementEvent =
  /** CONNECTING, WAIT, AUTH, GET_CONFIG, ASSIGN_IP, ADD_ROUTES, CONNECTED, RECONNECTING, EXITING, …; `detail` says why. */
  | { readonly kind: "state"; readonly state: string; readonly detail: string }
  /** A line of the log; `flags` has I, F, N (non-fatal error), W or D. */
  | { readonly kind: "log"; readonly flags: string; readonly text: string }
  | { readonly kind: "fatal"; readonly text: string }
  /** A session that a server has, by its certificate's common name: a line of the answer to `status 2`. `id` is what `client-kill` takes. */
  | { readonly kind: "client"; readonly commonName: string; readonly id: number }
  | { readonly kind: "hold" };

/** Reads one line of the management socket; undefined for lines that Binder has no use for. */
export function parseManagementLine(line: string): ManagementEvent | undefined {
  const match = /^>([A-Z_]+):(.*)$/.exec(line);
  if (match === null) return undefined;
  const [, source = "", rest = ""] = match;
  switch (source) {
    case "STATE": {
      const [, state = "", detail = ""] = rest.split(",");
      return { kind: "state", state, detail };
    }
    case "LOG": {
      const [, flags = "", ...text] = rest.split(",");
      return { kind: "log", flags, text: text.join(",") };
    }
    case "FATAL":
      return { kind: "fatal", text: rest };
    case "HOLD":
      return { kind: "hold" };
    default:
      return undefined;
  }
}

const CONNECT_RETRY = 250;
/** A line longer than this is no line of OpenVPN's (bytes). */
const LINE_LIMIT = 64 * 1024;

export interface ManagementOptions {
  readonly onEvent: (event: ManagementEvent) => void;
  /** Called when a connection that stood has ended: so has OpenVPN, most likely. */
  readonly onEnd?: () => void;
  /** Asked of every OpenVPN anew, `status 2` for instance. */
  readonly questions?: readonly string[];
}

/**
 * Stays connected to one OpenVPN's management socket for as long as the signal lets it, through restarts of OpenVPN.
 * Events arrive in order; {@link send} reaches whichever OpenVPN is there.
 */
export class ManagementClient {
  readonly #host: Host;
  readonly #path: string;
  readonly #options: ManagementOptions;
  #stream: Stream | undefined;

  constructor(host: Host, path: string, options: ManagementOptions) {
    this.#host = host;
    this.#path = path;
    this.#options = options;
  }

  get connected(): boolean {
    return this.#stream !== undefined;
  }

  /** Sends a command (without its newline); false if no OpenVPN listens. */
  async send(command: string): Promise<boolean> {
    if (/[\r\n\0]/.test(command)) throw new RangeError("a management command is one line");
    const stream = this.#stream;
    if (stream === undefined) return false;
    try {
      await stream.write(new TextEncoder().encode(`${command}\n`));
      return true;
    } catch {
      return false;
    }
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#session(signal);
      } catch {
        // OpenVPN isn't there yet, or went: the supervisor sees to it.
      }
      this.#stream = undefined;
      await this.#host.clock.sleep(CONNECT_RETRY, signal).catch(() => undefined);
    }
  }

  async #session(signal: AbortSignal): Promise<void> {
    const stream = await this.#host.sockets.connectUnix(this.#path, signal);
    const onAbort = (): void => {
      stream.close();
    };
    signal.addEventListener("abort", onAbort, { once: true });
    this.#stream = stream;
    try {
      await this.send("state on all");
      await this.send("log on");
      for (const question of this.#options.questions ?? []) await this.send(question);
      await this.#read(stream);
    } finally {
      signal.removeEventListener("abort", onAbort);
      stream.close();
      if (!signal.aborted) this.#options.onEnd?.();
    }
  }

  async #read(stream: Stream): Promise<void> {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const chunk of stream.input) {
      const lines = (rest + decoder.decode(chunk)).split("\n");
      rest = lines.pop() ?? "";
      if (rest.length > LINE_LIMIT) return;
      for (const line of lines) {
        const event = parseManagementLine(line.endsWith("\r") ? line.slice(0, -1) : line) ?? parseReply(line);
        if (event !== undefined) this.#options.onEvent(event);
      }
    }
  }
}

/**
 * Reads one line of an answer; undefined for lines that Binder has no use for. `state on all` answers with past states as bare lines: time,
 * name, detail, …; `status 2` with `CLIENT_LIST`, common name, and eleven more, of which the ninth is the client's ID (multi_print_status
 * in openvpn's multi.c).
 */
export function parseReply(line: string): ManagementEvent | undefined {
  const client = /^CLIENT_LIST,([^,]+),(?:[^,]*,){8}([0-9]{1,10}),/.exec(line);
  if (client !== null) return { kind: "client", commonName: client[1] ?? "", id: Number(client[2]) };
  const match = /^[0-9]{5,},([A-Z_]+),([^,]*),/.exec(line);
  return match === null ? undefined : { kind: "state", state: match[1] ?? "", detail: match[2] ?? "" };
}
