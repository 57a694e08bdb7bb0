import { invoke, isNotFound, lookUp, type UbusObject } from "./ask.ts";
import type { Connection } from "./connection.ts";
import { encodeTable } from "./encode.ts";
import { asUbusError, UbusError } from "./error.ts";
import { type EventHandler, EVENTS, Listener } from "./listener.ts";
import type { Message } from "./message.ts";
import { Publication, type Shared } from "./publication.ts";
import type { Registration } from "./registration.ts";
import type { Methods } from "./serve.ts";
import { Session, type UbusState } from "./session.ts";
import { statusCode } from "./status.ts";
import { Subscription, type SubscriptionHandlers } from "./subscription.ts";
import type { Transport } from "./transport.ts";
import type { UbusInputTable, UbusTable } from "./values.ts";
import { limited, type RequestOptions } from "./wait.ts";

/** Where OpenWrt's ubusd listens. */
export const UBUS_SOCKET = "/var/run/ubus/ubus.sock";

/** Numbers of paths that are remembered. */
const MAX_KNOWN = 256;

export interface UbusOptions {
  /** Opens a connection to ubusd; rejects if there is none. */
  readonly connect: (signal: AbortSignal) => Promise<Transport>;
  /** Ends all, as close() does. */
  readonly signal?: AbortSignal;
  /** Told `up` when ubusd is there and was told of all that is registered; `down` at each loss, and each try that fails. */
  readonly onState?: (state: UbusState) => void;
  /** What nobody waits for: a publication that ubusd refuses (it is tried again), a handler that throws. */
  readonly onError?: (error: UbusError) => void;
  /** 0 to 1, for the back-off. Default Math.random. */
  readonly random?: () => number;
}

export interface CallOptions extends RequestOptions {
  /** Told each table of the answer as it comes, for services that answer with more than one. */
  readonly onData?: (data: UbusTable) => void;
}

/**
 * A client of ubusd that stays: it connects by itself, again after each loss, and puts back what was published, subscribed to and
 * listened for. Everything rejects with a {@link UbusError}, or with the reason of the caller's signal.
 */
export class UbusClient {
  readonly #session: Session;
  readonly #shared: Shared;
  readonly #registrations = new Set<Registration>();
  readonly #subscriptions = new Set<Subscription>();
  /** Tells subscriptions of objects that come; there from the first subscription on. */
  #arrivals: Registration | undefined;
  #arrivalsKept: Promise<void> = Promise.resolve();
  /** Of the connection: our objects by number, others' numbers by path. */
  #objects = new Map<number, Registration>();
  #known = new Map<string, number>();

  constructor({ connect, signal, onState, onError, random = Math.random }: UbusOptions) {
    const report = (error: unknown): void => onError?.(asUbusError(error, "UNKNOWN_ERROR", "a handler"));
    this.#shared = { random, onError: report, onClose: (registration) => this.#registrations.delete(registration) };
    this.#session = new Session({
      connect,
      random,
      onMessage: (message, connection) => this.#take(message, connection),
      onConnected: (connection) => this.#restore(connection),
      onState: (state) => {
        try {
          onState?.(state);
        } catch (error) {
          report(error);
        }
      },
    });
    if (signal?.aborted === true) this.close();
    else signal?.addEventListener("abort", () => this.close(), { once: true });
    void this.#session.run();
  }

  /** Ends the connection and does not make another. */
  close(): void {
    this.#session.close();
    for (const registration of [...this.#registrations]) registration.close();
  }

  get isConnected(): boolean {
    return this.#session.connection !== undefined;
  }

  /** The objects whose path is this, or begins with it if it ends in `*`, and whose methods we may call; none is no error. */
  async lookup(pattern = "*", options: RequestOptions = {}): Promise<readonly UbusObject[]> {
    return await limited(`looking up ${pattern}`, options, async (signal) => {
      return await lookUp(await this.#session.connected(signal), pattern, signal);
    });
  }

  /**
   * Calls a method; answers the last table that came, an empty one if none did. When the connection breaks meanwhile, whether the
   * method ran is not known: it is not called again.
   */
  async call(path: string, method: string, args: UbusInputTable = {}, options: CallOptions = {}): Promise<UbusTable> {
    const what = `${path} ${method}`;
    const data = encodeTable(args);
    return await limited(what, options, async (signal) => {
      const connection = await this.#session.connected(signal);
      const known = this.#known.get(path);
      const id = known ?? (await this.#find(connection, path, signal));
      const attempt = async (objectId: number): Promise<UbusTable> =>
        await invoke(connection, { objectId, method, data }, what, signal, options.onData);
      try {
        return await attempt(id);
      } catch (error) {
        if (known === undefined || !isNotFound(error)) throw error;
        // Either the method says so, or the object was added again meanwhile.
        const again = await this.#find(connection, path, signal);
        if (again === known) throw error;
        return await attempt(again);
      }
    });
  }

  /** Sends an event to all who listen, ourselves excepted. Names that begin with `ubus.` are ubusd's own. */
  async send(event: string, data: UbusInputTable = {}, options: RequestOptions = {}): Promise<void> {
    const what = `sending the event ${event}`;
    const bytes = encodeTable({ id: event, data });
    await limited(what, options, async (signal) => {
      const connection = await this.#session.connected(signal);
      await invoke(connection, { objectId: EVENTS, method: "send", data: bytes }, what, signal);
    });
  }

  /** Puts an object on ubus. `onSubscribers` is told when somebody, and when nobody any more, subscribes. */
  publish(path: string, methods: Methods, onSubscribers: (active: boolean) => void = () => undefined): Publication {
    const publication = new Publication(path, methods, onSubscribers, this.#shared);
    void this.#add(publication.registration);
    return publication;
  }

  /** Listens for the events whose names are this, or begin with it if it ends in `*`. Our own do not come. */
  listen(pattern: string, handler: EventHandler): Listener {
    const listener = new Listener(pattern, handler, this.#shared);
    void this.#add(listener.registration);
    return listener;
  }

  /** Subscribes to the object with this path, now or when it comes. Not to one of this client's own: ubusd refuses that. */
  subscribe(path: string, handlers: SubscriptionHandlers): Subscription {
    this.#watchArrivals();
    const find = async (connection: Connection, name: string, signal: AbortSignal): Promise<number> => {
      // First, so that none comes unseen between the two.
      await this.#arrivalsKept;
      return await this.#find(connection, name, signal);
    };
    const onClose = (registration: Registration): void => {
      this.#subscriptions.delete(subscription);
      this.#shared.onClose(registration);
    };
    const subscription: Subscription = new Subscription(path, handlers, find, { ...this.#shared, onClose });
    this.#subscriptions.add(subscription);
    void this.#add(subscription.registration);
    return subscription;
  }

  #watchArrivals(): void {
    if (this.#arrivals !== undefined) return;
    const tell = ({ path }: UbusTable): void => {
      if (typeof path === "string") for (const subscription of this.#subscriptions) subscription.appeared(path);
    };
    this.#arrivals = new Listener("ubus.object.add", (_event, data) => tell(data), this.#shared).registration;
    this.#arrivalsKept = this.#add(this.#arrivals);
  }

  /** Resolves once ubusd was asked for it, or has not been because it is not there. */
  async #add(registration: Registration): Promise<void> {
    this.#registrations.add(registration);
    if (this.#session.isClosed) registration.close();
    else if (this.#session.connection !== undefined) await registration.keep(this.#session.connection, this.#objects);
  }

  async #restore(connection: Connection): Promise<void> {
    this.#objects = new Map();
    this.#known = new Map();
    const kept = [...this.#registrations].map((registration) => {
      const tried = registration.keep(connection, this.#objects);
      if (registration === this.#arrivals) this.#arrivalsKept = tried;
      return tried;
    });
    await Promise.all(kept);
  }

  #take(message: Message, connection: Connection): void {
    const { seq, peer, attributes } = message;
    const { objectId = 0, noReply } = attributes;
    const registration = this.#objects.get(objectId);
    if (registration !== undefined) return registration.take(message, connection);
    if (message.type === "invoke" && noReply !== true) connection.send("status", seq, peer, { status: statusCode("NOT_FOUND"), objectId });
  }

  async #find(connection: Connection, path: string, signal: AbortSignal): Promise<number> {
    const [found] = await lookUp(connection, path, signal);
    if (found === undefined) throw new UbusError("NOT_FOUND", `there is no object ${path} on ubus, or it may not be seen`);
    if (this.#known.size >= MAX_KNOWN) this.#known.clear();
    if (connection === this.#session.connection) this.#known.set(path, found.id);
    return found.id;
  }
}
