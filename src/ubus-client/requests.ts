import { asUbusError, UbusError } from "./error.ts";
import type { Message } from "./message.ts";
import { statusName, statusWords } from "./status.ts";

/** Requests that wait for their answers at once. */
const MAX_WAITING = 4096;
/** Answers to one request that take more memory than this end it (bytes of data). */
const MAX_ANSWER = 4 * 1024 * 1024;

interface Waiting {
  /** Whose answers count. Others could guess the number. */
  readonly peers: Set<number>;
  readonly what: string;
  /** The object that notifies: the answer of ubusd comes from it, then one from each subscriber. */
  readonly notified?: number | undefined;
  /** For each DATA, and each subscriber's STATUS; at once, before what comes after is looked at. */
  readonly onData: (message: Message) => void;
  readonly resolve: () => void;
  readonly reject: (error: UbusError) => void;
  size: number;
}

/** Requests that wait for their answers, by number. */
export class Requests {
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;

  /** A number that no other request has, and not 0, which is for what needs no answer. Throws NO_MEMORY when too many wait. */
  begin(request: Omit<Waiting, "size">): number {
    if (this.#waiting.size >= MAX_WAITING) throw new UbusError("NO_MEMORY", `${request.what}: too many requests wait for their answers`);
    do this.#last = (this.#last % 0xffff) + 1;
    while (this.#waiting.has(this.#last));
    this.#waiting.set(this.#last, { ...request, size: 0 });
    return this.#last;
  }

  forget(seq: number): void {
    this.#waiting.delete(seq);
  }

  /** An answer; one that nobody waits for is dropped. */
  take(message: Message): void {
    const request = this.#find(message);
    if (request === undefined) return;
    if (message.type === "data") {
      request.size += message.attributes.data?.length ?? 0;
      if (request.size > MAX_ANSWER) request.reject(new UbusError("NO_MEMORY", `${request.what}: the answer is over ${MAX_ANSWER} bytes`));
      else this.#tell(request, message);
      return;
    }
    const { subscribers, status: code = 0 } = message.attributes;
    if (request.notified !== undefined && (subscribers !== undefined || !request.peers.has(request.notified))) {
      // ubusd's own answer names those who answer after it.
      if (subscribers === undefined) this.#tell(request, message);
      request.peers.delete(message.peer);
      for (const id of subscribers ?? []) request.peers.add(id);
      if (request.peers.size === 0) request.resolve();
      return;
    }
    if (code === 0) request.resolve();
    else {
      const status = statusName(code);
      request.reject(new UbusError(status, `${request.what}: ${statusWords(status)}`, { code }));
    }
  }

  /** An answer that can't be read fails its request. */
  fail(seq: number, peer: number, error: UbusError): void {
    this.#find({ seq, peer })?.reject(error);
  }

  failAll(error: UbusError): void {
    for (const { reject } of this.#waiting.values()) reject(error);
  }

  #tell(request: Waiting, message: Message): void {
    try {
      request.onData(message);
    } catch (error) {
      request.reject(asUbusError(error, "PARSE_ERROR", request.what));
    }
  }

  #find({ seq, peer }: Pick<Message, "seq" | "peer">): Waiting | undefined {
    const request = this.#waiting.get(seq);
    return request?.peers.has(peer) === true ? request : undefined;
  }
}
