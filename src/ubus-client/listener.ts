import { decodeTable } from "./decode.ts";
import { encodeTable } from "./encode.ts";
import type { Shared } from "./publication.ts";
import { Registration } from "./registration.ts";
import type { UbusTable } from "./values.ts";

/** The object of ubusd that takes and spreads events (ubusmsg.h, UBUS_SYSTEM_OBJECT_EVENT). */
export const EVENTS = 1;

/** Told of an event; what it throws is told to the client's `onError`. */
export type EventHandler = (event: string, data: UbusTable) => void;

/** Listens for the events whose names are this, or begin with it if it ends in `*`. */
export class Listener {
  readonly pattern: string;
  readonly #registration: Registration;

  constructor(pattern: string, handler: EventHandler, shared: Shared) {
    this.pattern = pattern;
    const what = `listening for ${pattern}`;
    this.#registration = new Registration({
      ...shared,
      what,
      attributes: {},
      join: async (connection, objectId, signal) => {
        const data = encodeTable({ object: objectId | 0, pattern });
        await connection.request(
          { type: "invoke", peer: EVENTS, attributes: { objectId: EVENTS, method: "register", data }, what },
          signal,
        );
      },
      // No answer: ubusd, from which events come, takes none.
      onMessage: ({ type, attributes: { method, data } }) => {
        if (type === "invoke") handler(method ?? "", data === undefined ? {} : decodeTable(data));
      },
    });
  }

  /** @internal */
  get registration(): Registration {
    return this.#registration;
  }

  get isListening(): boolean {
    return this.#registration.isReady;
  }

  /** Resolves once events come. */
  async ready(signal: AbortSignal): Promise<void> {
    await this.#registration.ready(signal);
  }

  close(): void {
    this.#registration.close();
  }
}
