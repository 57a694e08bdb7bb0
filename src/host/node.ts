/** The host of Node.js: for development, for tests, and for hosts large enough to run it. */
import { randomBytes } from "node:crypto";
import { setMaxListeners } from "node:events";
import { performance } from "node:perf_hooks";
import { setTimeout as sleepFor } from "node:timers/promises";
import { nodeFiles } from "./node/files.ts";
import { nodeProcesses } from "./node/processes.ts";
import { nodeProgram } from "./node/program.ts";
import { nodeSockets } from "./node/sockets.ts";
import type { Clock, Host } from "./types.ts";

const clock: Clock = {
  monotonic: () => performance.now(),
  wall: () => Date.now(),
  async sleep(ms, signal) {
    try {
      await sleepFor(ms, undefined, { signal });
    } catch (error) {
      // Node wraps the reason; callers expect the reason itself.
      signal.throwIfAborted();
      throw error;
    }
  },
};

export function createHost(): Host {
  // A daemon has one signal that everything in it listens to; Node takes more than ten for a leak.
  setMaxListeners(0);
  return {
    files: nodeFiles,
    clock,
    processes: nodeProcesses,
    sockets: nodeSockets,
    program: nodeProgram,
    random: (count) => new Uint8Array(randomBytes(count)),
  };
}
