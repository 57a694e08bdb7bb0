import type { Host, Listener, Stream } from "../host/types.ts";
import { linesOf } from "./lines.ts";
import type { ControlResponse } from "./types.ts";

/** What a role serves: methods by name. What one throws is answered as an error with status 1, or with its own `status`. */
export type Methods = Readonly<Record<string, (args: Readonly<Record<string, unknown>>) => Promise<unknown>>>;

/** An error that a method answers with a status of its own (2 usage, 3 configuration). */
export class MethodError extends Error {
  override readonly name = "MethodError";
  readonly status: number;
  constructor(status: number, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.status = status;
  }
}

/** Serves the methods on a Unix socket that only root can use: one JSON object a line, answered by one a line, in order. */
export async function serveControl(host: Host, path: string, methods: Methods): Promise<Listener> {
  return await host.sockets.listenUnix(path, 0o600, (stream) => {
    void converse(stream, methods);
  });
}

async function converse(stream: Stream, methods: Methods): Promise<void> {
  try {
    for await (const line of linesOf(stream.input)) {
      const response = line === undefined ? lineOf({ id: 0, status: 2, error: "the line is too long" }) : await answer(line, methods);
      await stream.write(new TextEncoder().encode(`${response}\n`));
    }
  } catch {
    // The caller went away.
  } finally {
    stream.close();
  }
}

function lineOf(response: ControlResponse): string {
  return JSON.stringify(response);
}

async function answer(line: string, methods: Methods): Promise<string> {
  const request = parseRequest(line);
  if (request === undefined) return lineOf({ id: 0, status: 2, error: "a request is {id, method, args}" });
  const { id, method, args } = request;
  const handler = Object.hasOwn(methods, method) ? methods[method] : undefined;
  if (handler === undefined) return lineOf({ id, status: 2, error: `there is no method "${method}"` });
  try {
    return lineOf({ id, status: 0, data: (await handler(args)) ?? null });
  } catch (error) {
    const status = error instanceof MethodError ? error.status : 1;
    return lineOf({ id, status, error: error instanceof Error ? error.message : String(error) });
  }
}

function parseRequest(line: string): { id: number; method: string; args: Readonly<Record<string, unknown>> } | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (!isRecord(value) || typeof value["method"] !== "string") return undefined;
  const { id, args } = value;
  return { id: typeof id === "number" ? id : 0, method: value["method"], args: isRecord(args) ? args : {} };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
