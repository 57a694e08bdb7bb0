/**
 * A ubusd for tests, as the real one of 2025-12-02 was recorded to behave (ubusd.test.ts compares the two). It has no monitor, and its
 * access lists are a function.
 */
import {
  type Attributes,
  decodeExactTable,
  decodeMessage,
  decodeTable,
  encodeMessage,
  encodeTable,
  type ExactTable,
  type ExactValue,
  type Frame,
  FrameReader,
  type Message,
  STATUSES,
  type UbusStatus,
} from "../../src/ubus-client/index.ts";

/** `name` is a path, or an event's; `method` is of an access alone. */
export type Access = "access" | "publish" | "subscribe" | "listen" | "send";

export interface UbusdOptions {
  /** Numbers of clients, types and objects. */
  readonly nextId?: () => number;
  readonly allows?: (peer: Peer, access: Access, name: string, method?: string) => boolean;
}

interface ObjectType {
  readonly id: number;
  readonly signature: Uint8Array;
  objects: number;
}

export interface BusObject {
  readonly id: number;
  readonly peer: Peer;
  readonly path: string | undefined;
  readonly type: ObjectType | undefined;
  /** The last who came first. */
  readonly subscribers: BusObject[];
  readonly targets: BusObject[];
  readonly patterns: string[];
  seq: number;
}

const EVENTS = 1;
const SYSTEM_OBJECTS = 1024;

const isMap = (value: ExactValue | undefined): value is ExactTable => value instanceof Map;
const asText = (value: unknown): string => (typeof value === "string" ? value : "");

export class Ubusd {
  readonly objects = new Map<number, BusObject>();
  readonly peers = new Map<number, Peer>();
  readonly types = new Map<number, ObjectType>();
  readonly nextId: () => number;
  readonly allows: (peer: Peer, access: Access, name: string, method?: string) => boolean;
  #eventSeq = 0;

  constructor({ nextId, allows }: UbusdOptions = {}) {
    this.nextId = nextId ?? (() => SYSTEM_OBJECTS + Math.floor(Math.random() * (2 ** 32 - SYSTEM_OBJECTS)));
    this.allows = allows ?? (() => true);
  }

  /** A client that has connected. `send` gets whole messages. */
  connect(send: (bytes: Uint8Array) => void, user = "root", group = "root"): Peer {
    const peer = new Peer(this, this.nextId(), send, user, group);
    this.peers.set(peer.id, peer);
    peer.tell("hello", 0, peer.id, {});
    return peer;
  }

  at(path: string): BusObject | undefined {
    return [...this.objects.values()].find((object) => object.path === path);
  }

  event(from: Peer | undefined, name: string, data: Uint8Array): void {
    for (const { id, peer, patterns } of this.objects.values()) {
      if (peer === from || !patterns.some((pattern) => matches(pattern, name))) continue;
      peer.tell("invoke", ++this.#eventSeq, 0, { objectId: id, method: name, data });
    }
  }

  free(object: BusObject): void {
    for (const target of [...object.targets]) this.unsubscribe(object, target);
    for (const subscriber of [...object.subscribers]) {
      subscriber.peer.tell("unsubscribe", ++subscriber.seq, 0, { objectId: subscriber.id, target: object.id });
      this.unsubscribe(subscriber, object);
    }
    object.patterns.length = 0;
    if (object.path !== undefined) this.event(undefined, "ubus.object.remove", encodeTable({ id: object.id | 0, path: object.path }));
    this.objects.delete(object.id);
    if (object.type !== undefined && --object.type.objects === 0) this.types.delete(object.type.id);
  }

  unsubscribe(object: BusObject, target: BusObject): void {
    remove(object.targets, target);
    remove(target.subscribers, object);
    if (target.subscribers.length === 0) tellActive(target, false);
  }
}

const matches = (pattern: string, name: string): boolean =>
  pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern;

function remove<T>(from: T[], what: T): void {
  const at = from.indexOf(what);
  if (at >= 0) from.splice(at, 1);
}

function tellActive(object: BusObject, active: boolean): void {
  object.peer.tell("notify", ++object.seq, 0, { objectId: object.id, active });
}

/** One client's connection. */
export class Peer {
  readonly id: number;
  readonly user: string;
  readonly group: string;
  readonly #bus: Ubusd;
  readonly #send: (bytes: Uint8Array) => void;
  readonly #reader = new FrameReader();
  #open = true;

  constructor(bus: Ubusd, id: number, send: (bytes: Uint8Array) => void, user: string, group: string) {
    this.#bus = bus;
    this.id = id;
    this.#send = send;
    this.user = user;
    this.group = group;
  }

  /** False if the connection is to be closed. */
  receive(bytes: Uint8Array): boolean {
    try {
      for (const frame of this.#reader.push(bytes)) this.#take(frame, decodeOrEmpty(frame));
      return true;
    } catch {
      return false;
    }
  }

  close(): void {
    this.#open = false;
    this.#bus.peers.delete(this.id);
    const own = [...this.#bus.objects.values()].filter(({ peer }) => peer === this);
    for (const object of own.reverse()) this.#bus.free(object);
  }

  tell(type: Message["type"], seq: number, peer: number, attributes: Attributes): void {
    this.relay(encodeMessage({ type, seq, peer, attributes }));
  }

  relay(bytes: Uint8Array): void {
    if (this.#open) this.#send(bytes);
  }

  #take(frame: Frame, message: Message | undefined): void {
    const status = this.#answer(frame, message);
    if (status !== undefined) this.tell("status", frame.seq, frame.peer, { status: STATUSES.indexOf(status) });
  }

  /** Undefined: no status from ubusd itself. */
  #answer(frame: Frame, message: Message | undefined): UbusStatus | undefined {
    const attributes = message?.attributes ?? {};
    switch (frame.type) {
      case 1:
      case 2:
        this.#respond(frame, attributes);
        return undefined;
      case 3:
        this.relay(rawMessage(frame, 2, frame.peer));
        return "OK";
      case 4:
        return this.#lookup(frame, attributes);
      case 5:
        return this.#invoke(frame, attributes);
      case 6:
        return this.#add(frame, attributes);
      case 7:
        return this.#remove(frame, attributes);
      case 8:
        return this.#subscribe(attributes);
      case 9:
        return this.#unsubscribe(attributes);
      case 10:
        return this.#notify(frame, attributes);
      default:
        return "INVALID_COMMAND";
    }
  }

  #add({ seq, peer }: Frame, { objectPath: path, signature, objectType }: Attributes): UbusStatus {
    const bus = this.#bus;
    let type = objectType === undefined ? undefined : bus.types.get(objectType);
    if (objectType === undefined && signature !== undefined) {
      type = { id: bus.nextId(), signature, objects: 0 };
      bus.types.set(type.id, type);
    }
    const id = bus.nextId();
    if (path !== undefined && (!bus.allows(this, "publish", path) || bus.at(path) !== undefined)) return "INVALID_ARGUMENT";
    if (type !== undefined) type.objects += 1;
    bus.objects.set(id, { id, peer: this, path, type, subscribers: [], targets: [], patterns: [], seq: 0 });
    if (path !== undefined) bus.event(undefined, "ubus.object.add", encodeTable({ id: id | 0, path }));
    this.tell("data", seq, peer, { objectId: id, ...(signature !== undefined && type !== undefined ? { objectType: type.id } : {}) });
    return "OK";
  }

  #remove({ seq, peer }: Frame, { objectId }: Attributes): UbusStatus {
    if (objectId === undefined) return "INVALID_ARGUMENT";
    const object = this.#bus.objects.get(objectId);
    if (object === undefined) return "NOT_FOUND";
    if (object.peer !== this) return "PERMISSION_DENIED";
    this.tell("data", seq, peer, { objectId, ...(object.type?.objects === 1 ? { objectType: object.type.id } : {}) });
    this.#bus.free(object);
    return "OK";
  }

  #lookup({ seq, peer }: Frame, { objectPath: pattern }: Attributes): UbusStatus {
    if (pattern === "") return "INVALID_ARGUMENT";
    const found = [...this.#bus.objects.values()]
      .filter(({ path = "" }) => path !== "" && (pattern === undefined || matches(pattern, path)))
      .sort((a, b) => ((a.path ?? "") < (b.path ?? "") ? -1 : 1));
    if (found.length === 0 && pattern !== undefined) return "NOT_FOUND";
    for (const { path = "", id, type } of found) {
      if (type === undefined) continue;
      const all = [...decodeExactTable(type.signature)];
      const allowed = all.filter(([method]) => this.#bus.allows(this, "access", path, method));
      if (allowed.length === 0 && all.length > 0) continue;
      this.tell("data", seq, peer, { objectPath: path, objectId: id, objectType: type.id, signature: encodeTable(new Map(allowed)) });
    }
    return "OK";
  }

  #invoke(frame: Frame, { objectId, method, data }: Attributes): UbusStatus | undefined {
    if (objectId === undefined || method === undefined) return "INVALID_ARGUMENT";
    if (objectId === EVENTS) return this.#eventObject(method, data);
    const object = this.#bus.objects.get(objectId);
    if (object === undefined) return "NOT_FOUND";
    if (!this.#bus.allows(this, "access", object.path ?? "", method)) return "PERMISSION_DENIED";
    object.peer.tell("invoke", frame.seq, this.id, { objectId, method, user: this.user, group: this.group, ...(data && { data }) });
    return undefined;
  }

  #eventObject(method: string, data: Uint8Array | undefined): UbusStatus {
    if (data === undefined) return "INVALID_ARGUMENT";
    if (method === "register") {
      const { object: id, pattern } = decodeTable(data);
      if (typeof id !== "number" || typeof pattern !== "string") return "INVALID_ARGUMENT";
      if (id >>> 0 < SYSTEM_OBJECTS || pattern === "" || !this.#bus.allows(this, "listen", pattern)) return "PERMISSION_DENIED";
      const object = this.#bus.objects.get(id >>> 0);
      if (object === undefined) return "NOT_FOUND";
      if (object.peer !== this) return "PERMISSION_DENIED";
      object.patterns.push(pattern);
      return "OK";
    }
    if (method !== "send") return "INVALID_COMMAND";
    const table = decodeExactTable(data);
    const [id, inner] = [asText(table.get("id")), table.get("data")];
    if (id === "" || !isMap(inner)) return "INVALID_ARGUMENT";
    if (id.startsWith("ubus.") || !this.#bus.allows(this, "send", id)) return "PERMISSION_DENIED";
    this.#bus.event(this, id, encodeTable(inner));
    return "OK";
  }

  #respond(frame: Frame, { objectId, status, data }: Attributes): void {
    if (objectId === undefined || (frame.type === 1 ? status : data) === undefined) return;
    if (this.#bus.objects.get(objectId)?.peer !== this) return;
    this.#bus.peers.get(frame.peer)?.relay(rawMessage(frame, frame.type, objectId));
  }

  #subscribe({ objectId = -1, target: targetId = -1 }: Attributes): UbusStatus {
    if (objectId < 0 || targetId < 0) return "INVALID_ARGUMENT";
    const [object, target] = [this.#bus.objects.get(objectId), this.#bus.objects.get(targetId)];
    if (object === undefined) return "NOT_FOUND";
    if (object.peer !== this) return "INVALID_ARGUMENT";
    if (target === undefined) return "NOT_FOUND";
    if (target.peer === this) return "INVALID_ARGUMENT";
    if (target.path !== undefined && !this.#bus.allows(this, "subscribe", target.path)) return "NOT_FOUND";
    target.subscribers.unshift(object);
    object.targets.unshift(target);
    if (target.subscribers.length === 1) tellActive(target, true);
    return "OK";
  }

  #unsubscribe({ objectId = -1, target: targetId = -1 }: Attributes): UbusStatus {
    if (objectId < 0 || targetId < 0) return "INVALID_ARGUMENT";
    const object = this.#bus.objects.get(objectId);
    if (object === undefined) return "NOT_FOUND";
    if (object.peer !== this) return "INVALID_ARGUMENT";
    const target = object.targets.find(({ id }) => id === targetId);
    if (target === undefined) return "NOT_FOUND";
    this.#bus.unsubscribe(object, target);
    return "OK";
  }

  #notify({ seq, peer }: Frame, { objectId, method, data, noReply }: Attributes): UbusStatus | undefined {
    if (objectId === undefined || method === undefined) return "INVALID_ARGUMENT";
    const object = this.#bus.objects.get(objectId);
    if (object === undefined) return "NOT_FOUND";
    if (object.peer !== this) return "PERMISSION_DENIED";
    if (noReply !== true) this.tell("status", seq, peer, { objectId, subscribers: object.subscribers.map(({ id }) => id), status: 0 });
    for (const { id, peer: to } of object.subscribers) {
      const rest = { objectId: id, method, user: this.user, group: this.group, ...(data && { data }) };
      to.tell("invoke", seq, this.id, noReply === true ? { noReply, ...rest } : rest);
    }
    return undefined;
  }
}

function decodeOrEmpty(frame: Frame): Message | undefined {
  try {
    return decodeMessage({ ...frame, version: 0 });
  } catch {
    return undefined;
  }
}

/** The same body with another header. */
function rawMessage({ version, seq, body }: Frame, type: number, peer: number): Uint8Array {
  const bytes = new Uint8Array(12 + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, version);
  view.setUint8(1, type);
  view.setUint16(2, seq);
  view.setUint32(4, peer);
  view.setUint32(8, 4 + body.length);
  bytes.set(body, 12);
  return bytes;
}
