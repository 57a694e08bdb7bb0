import type { Stream } from "../../src/host/types.ts";
import type { Ubusd } from "./ubusd.ts";

/** Makes a peer of the bus of whoever connected. */
export async function serve(bus: Ubusd, stream: Stream): Promise<void> {
  const peer = bus.connect((bytes) => {
    stream.write(bytes).catch(() => undefined);
  });
  try {
    for await (const piece of stream.input) if (!peer.receive(piece)) break;
  } catch {
    // It broke off: the same as an end.
  }
  peer.close();
  stream.close();
}
