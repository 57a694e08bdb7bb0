import { encodeSignatures } from "./arguments.ts";
import type { Connection } from "./connection.ts";
import { encodeTable } from "./encode.ts";
import { asUbusError } from "./error.ts";
import type { Message } from "./message.ts";
import { Registration, type RegistrationOptions } from "./registration.ts";
import { type Methods, serve } from "./serve.ts";
import { statusCode, statusName, type UbusStatus } from "./status.ts";
import type { UbusInputTable } from "./values.ts";
import { limited, type RequestOptions } from "./wait.ts";

/** Calls served at once by one object; more are refused with NO_MEMORY. */
const MAX_CALLS = 256;

/** What a subscriber answered to a notification. */
export interface Answer {
  /** The subscriber's object. */
  readonly id: number;
  readonly status: UbusStatus;
}

export type Shared = Pick<RegistrationOptions, "onError" | "onClose" | "random">;

/** An object of ours that others call and subscribe to. */
export class Publication {
  readonly path: string;
  readonly #registration: Registration;
  readonly #methods: Methods;
  readonly #shared: Shared;
  readonly #onSubscribers: (active: boolean) => void;
  #active = false;
  #calls = 0;

  constructor(path: string, methods: Methods, onSubscribers: (active: boolean) => void, shared: Shared) {
    this.path = path;
    this.#methods = methods;
    this.#shared = shared;
    this.#onSubscribers = onSubscribers;
    const signatures = Object.fromEntries(Object.entries(methods).map(([name, method]) => [name, method.arguments]));
    this.#registration = new Registration({
      ...shared,
      what: `publishing ${path}`,
      attributes: { objectPath: path, signature: encodeSignatures(signatures) },
      onMessage: (message, connection) => this.#take(message, connection),
      onLost: () => this.#setActive(false),
    });
  }

  /** @internal */
  get registration(): Registration {
    return this.#registration;
  }

  get isPublished(): boolean {
    return this.#registration.isReady;
  }

  get hasSubscribers(): boolean {
    return this.#active;
  }

  /** Resolves once it is on ubus. */
  async ready(signal: AbortSignal): Promise<void> {
    await this.#registration.ready(signal);
  }

  close(): void {
    this.#registration.close();
  }

  /** Tells all subscribers, who do not answer. False if nobody subscribes, ubusd is not there, or it does not read. Throws a UbusError at data that can't be sent. */
  notify(type: string, data: UbusInputTable = {}): boolean {
    const bytes = encodeTable(data);
    const place = this.#registration.place;
    if (place === undefined || !this.#active) return false;
    try {
      place.connection.send("notify", 0, place.objectId, { objectId: place.objectId, method: type, data: bytes, noReply: true });
      return true;
    } catch {
      return false;
    }
  }

  /** Tells all subscribers, and waits for what each answers. Rejects with a UbusError. */
  async notifyAndWait(type: string, data: UbusInputTable = {}, options: RequestOptions = {}): Promise<readonly Answer[]> {
    const what = `${this.path} ${type}`;
    const bytes = encodeTable(data);
    const answers: Answer[] = [];
    await limited(what, options, async (signal) => {
      await this.#registration.ready(signal);
      const place = this.#registration.place;
      if (place === undefined) return;
      const { connection, objectId } = place;
      const onData = ({ type: kind, peer: id, attributes }: Message): void => {
        if (kind === "status") answers.push({ id, status: statusName(attributes.status ?? 0) });
      };
      const attributes = { objectId, method: type, data: bytes };
      await connection.request({ type: "notify", peer: objectId, attributes, what, notify: true, onData }, signal);
    });
    return answers;
  }

  #setActive(active: boolean): void {
    if (active === this.#active) return;
    this.#active = active;
    this.#onSubscribers(active);
  }

  #take(message: Message, connection: Connection): void {
    if (message.type === "notify") this.#setActive(message.attributes.active === true);
    if (message.type !== "invoke") return;
    if (this.#calls >= MAX_CALLS) {
      connection.send("status", message.seq, message.peer, { status: statusCode("NO_MEMORY"), objectId: message.attributes.objectId ?? 0 });
      return;
    }
    this.#calls += 1;
    void serve(message, this.#methods, connection).then((fault) => {
      this.#calls -= 1;
      if (fault !== undefined) this.#shared.onError(asUbusError(fault, "UNKNOWN_ERROR", `${this.path} ${message.attributes.method ?? ""}`));
    });
  }
}
