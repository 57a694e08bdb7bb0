import { checkArguments, type Signature } from "./arguments.ts";
import type { Connection } from "./connection.ts";
import { decodeTable } from "./decode.ts";
import { encodeTable } from "./encode.ts";
import { asUbusError, UbusError } from "./error.ts";
import type { Attributes, Message } from "./message.ts";
import type { UbusInputTable, UbusTable } from "./values.ts";

/** Who calls, and the means to say more than one thing. */
export interface Call {
  readonly method: string;
  /** The client that calls: its id, user and group as ubusd knows them. */
  readonly peer: number;
  readonly user: string;
  readonly group: string;
  /** Fires when the connection has ended: nobody waits for the answer then. */
  readonly signal: AbortSignal;
  /** Sends a table now, before the one that is returned. */
  readonly reply: (data: UbusInputTable) => void;
}

export interface Method {
  readonly arguments: Signature;
  /**
   * Answers with a table, or nothing, now or by a promise, for as long as it takes. A UbusError ends the call with its status, after its
   * `data` if it has any; everything else that is thrown with UNKNOWN_ERROR.
   */
  readonly call: (args: UbusTable, call: Call) => UbusInputTable | undefined | Promise<UbusInputTable | undefined>;
}

export type Methods = Readonly<Record<string, Method>>;

/** Serves one invoke message. Answers what the caller can't be told; does not reject. */
export async function serve(message: Message, methods: Methods, connection: Connection): Promise<unknown> {
  const { seq, peer, attributes } = message;
  const answer = (type: "data" | "status", own: Attributes): void => {
    // The caller's number, so that ubusd finds it.
    if (!connection.signal.aborted) connection.send(type, seq, peer, own);
  };
  const { objectId = 0, noReply } = attributes;
  const reply = (data: UbusInputTable): void => answer("data", { objectId, data: encodeTable(data) });
  let fault: unknown;
  let status = 0;
  try {
    const data = await run(message, methods, { signal: connection.signal, reply });
    if (data !== undefined) reply(data);
  } catch (error) {
    const told = error instanceof UbusError ? error : asUbusError(error, "UNKNOWN_ERROR", attributes.method ?? "");
    if (told !== error) fault = error;
    status = told.code;
    try {
      if (told.data !== undefined) reply(told.data);
    } catch (second) {
      fault = second;
    }
  }
  try {
    if (noReply !== true) answer("status", { status, objectId });
  } catch (error) {
    fault ??= error;
  }
  return fault;
}

async function run(
  { peer, attributes }: Message,
  methods: Methods,
  means: Pick<Call, "signal" | "reply">,
): Promise<UbusInputTable | undefined> {
  const { method = "", data, user = "", group = "" } = attributes;
  const found = Object.hasOwn(methods, method) ? methods[method] : undefined;
  if (found === undefined) throw new UbusError("METHOD_NOT_FOUND", `there is no method ${method}`);
  if (data === undefined) throw new UbusError("INVALID_ARGUMENT", "a call without arguments, not even an empty table of them");
  const args = checkArguments(found.arguments, decodeTable(data));
  return await found.call(args, { ...means, method, peer, user, group });
}
