import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createHost } from "../../src/host/node.ts";
import type { Listener } from "../../src/host/types.ts";
import type { Transport, UbusError, UbusOptions, UbusState } from "../../src/ubus-client/index.ts";
import { UbusClient } from "../../src/ubus-client/index.ts";
import type { Test } from "../harness/index.ts";
import { serve } from "./serve.ts";
import { Ubusd } from "./ubusd.ts";

const { sockets } = createHost();
/** A real ubusd, for whoever has one: the same tests run against it. */
const PROGRAM = process.env["UBUSD"];
export const isReal = PROGRAM !== undefined;

/** A ubusd on a socket of its own, which can be stopped and started. */
export class Daemon {
  readonly path: string;
  /** The one of our own; a real one shows nothing. */
  bus: Ubusd | undefined;
  #stop: (() => Promise<void>) | undefined;

  constructor(t: Test) {
    const directory = mkdtempSync(join(tmpdir(), "binder-ubus-"));
    this.path = join(directory, "ubus.sock");
    t.teardown(async () => {
      await this.stop();
      rmSync(directory, { recursive: true });
    });
  }

  async start(): Promise<void> {
    this.#stop = PROGRAM === undefined ? await this.#startOurs() : await this.#startReal(PROGRAM);
  }

  async stop(): Promise<void> {
    await this.#stop?.();
    this.#stop = undefined;
  }

  async #startOurs(): Promise<() => Promise<void>> {
    const bus = new Ubusd();
    this.bus = bus;
    const listener: Listener = await sockets.listenUnix(this.path, 0o600, (stream) => void serve(bus, stream));
    return async () => listener.close();
  }

  async #startReal(program: string): Promise<() => Promise<void>> {
    const child: ChildProcess = spawn(program, ["-s", this.path, "-A", join(this.path, "..")], { stdio: "ignore" });
    const ended = once(child, "exit");
    await until(() => existsSync(this.path));
    return async () => {
      child.kill("SIGTERM");
      await ended;
    };
  }
}

/** Waits for a condition, for ten seconds at the most. */
export async function until(condition: () => boolean): Promise<void> {
  const limit = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > limit) throw new Error(`this did not come true: ${String(condition)}`);
    await sleep(5);
  }
}

/** What a client was told. */
export interface Told {
  readonly states: UbusState[];
  readonly errors: UbusError[];
}

/** A client of it, closed after the test. `cut`: what comes is cut into pieces of so many bytes. */
export function clientOf(t: Test, { path }: Daemon, cut?: number, options: Partial<UbusOptions> = {}): UbusClient & Told {
  const states: UbusState[] = [];
  const errors: UbusError[] = [];
  const connect = async (signal: AbortSignal): Promise<Transport> => {
    const stream = await sockets.connectUnix(path, signal);
    return cut === undefined
      ? stream
      : { input: pieces(stream.input, cut), write: async (bytes) => stream.write(bytes), close: () => stream.close() };
  };
  const client = new UbusClient({
    connect,
    onState: (state) => void states.push(state),
    onError: (error) => void errors.push(error),
    random: () => 0,
    ...options,
  });
  t.teardown(() => client.close());
  return Object.assign(client, { states, errors });
}

async function* pieces(input: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array> {
  for await (const piece of input) {
    for (let start = 0; start < piece.length; start += size) yield piece.subarray(start, start + size);
  }
}
