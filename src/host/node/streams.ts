import type { Readable, Writable } from "node:stream";
import { HostError } from "../types.ts";
import { hostError } from "../errors.ts";

/** What comes, up to the end of file or to our own end of it, which Node takes for an error. */
export async function* chunksOf(stream: Readable, isClosed: () => boolean): AsyncGenerator<Uint8Array, void> {
  try {
    for await (const chunk of stream) if (Buffer.isBuffer(chunk)) yield new Uint8Array(chunk);
  } catch (error) {
    if (!isClosed()) throw hostError(error);
  }
}

/** Resolves once the bytes are the system's. */
export async function writeTo(stream: Writable, bytes: Uint8Array): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    stream.write(bytes, (error) => {
      if (!error) resolve();
      // Of a stream that is closed Node says so in words of its own.
      else reject("errno" in error ? hostError(error) : new HostError("EPIPE", error.message, { cause: error }));
    });
  });
}
