import type { Host } from "../host/types.ts";
import { BookError } from "./homes.ts";
import { RELAY_DIRECTORY } from "./paths.ts";

/** Milliseconds to wait for another command to end. */
const PATIENCE = 15_000;

/**
 * Runs `work` while no other Binder command changes the book. The lock is the kernel's, held by a child (`flock DIRECTORY cat`) that ends
 * when its standard input does: a command that is killed leaves no lock behind. Throws a BookError if another one holds it too long.
 */
export async function withBookLock<T>(host: Host, work: () => Promise<T>): Promise<T> {
  const holder = await host.processes.converse("flock", [RELAY_DIRECTORY, "cat"]);
  try {
    const timer = setTimeout(() => void holder.close(), PATIENCE);
    // What cat sends back says that flock has let it start.
    await holder.write(new TextEncoder().encode("held\n")).catch(() => undefined);
    const held = await hasOutput(holder.output);
    clearTimeout(timer);
    if (!held) throw new BookError("another binder command is changing the book of homes: try again when it is done");
    return await work();
  } finally {
    await holder.close();
  }
}

/** Whether anything comes before the output ends. */
async function hasOutput(output: AsyncIterable<Uint8Array>): Promise<boolean> {
  for await (const chunk of output) if (chunk.length > 0) return true;
  return false;
}
