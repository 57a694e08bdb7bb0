import { decodeSignatures, type Signatures } from "./arguments.ts";
import type { Connection } from "./connection.ts";
import { decodeTable } from "./decode.ts";
import { UbusError } from "./error.ts";
import type { Attributes, Message } from "./message.ts";
import type { UbusTable } from "./values.ts";

export interface UbusObject {
  readonly path: string;
  /** Another whenever it is added again. */
  readonly id: number;
  readonly methods: Signatures;
}

/** The objects of a path, or of those that begin so if it ends in `*`; none is no error. */
export async function lookUp(connection: Connection, pattern: string, signal: AbortSignal): Promise<readonly UbusObject[]> {
  const found: UbusObject[] = [];
  const onData = ({ attributes: { objectPath: path, objectId: id, signature } }: Message): void => {
    if (path !== undefined && id !== undefined)
      found.push({ path, id, methods: signature === undefined ? {} : decodeSignatures(signature) });
  };
  try {
    await connection.request({ type: "lookup", attributes: { objectPath: pattern }, what: `looking up ${pattern}`, onData }, signal);
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  return found;
}

export const isNotFound = (error: unknown): boolean => error instanceof UbusError && error.status === "NOT_FOUND";

/** Answers the last table that came. The error of a failed call has it too. */
export async function invoke(
  connection: Connection,
  attributes: Attributes & { readonly objectId: number },
  what: string,
  signal: AbortSignal,
  onTable: (data: UbusTable) => void = () => undefined,
): Promise<UbusTable> {
  let last: UbusTable | undefined;
  const onData = ({ attributes: { data } }: Message): void => {
    if (data === undefined) return;
    last = decodeTable(data);
    onTable(last);
  };
  try {
    await connection.request({ type: "invoke", peer: attributes.objectId, attributes, what, onData }, signal);
    return last ?? {};
  } catch (error) {
    if (last === undefined || !(error instanceof UbusError)) throw error;
    throw new UbusError(error.status, error.message, { cause: error, code: error.code, data: last });
  }
}
