import { projectRoot, type Running, type TestNode } from "../testbed/index.ts";

/** What the server said that it saw, `45.0.100.2:40000`, and when (ms of the client's clock). */
export interface Answer {
  readonly flow: number;
  readonly at: number;
  readonly peer: string;
}

const program = `${projectRoot}/test/net/echo.mjs`;

/** Starts the server that tells everybody who they are: `udp:53`, `tcp:7001`, `http:80`. */
export async function serveEcho(node: TestNode, ...what: readonly string[]): Promise<Running> {
  const server = node.start(process.execPath, [program, "serve", ...what]);
  await server.line(/ready/);
  return server;
}

/** Starts a resolver that answers the addresses beginning with `customers`, with `answer`, and refuses all others. */
export async function serveNames(node: TestNode, listen: string, answer: string, customers = ""): Promise<Running> {
  const server = node.start(process.execPath, [program, "names", listen, answer, customers]);
  await server.line(/ready/);
  return server;
}

/** One datagram on each of so many flows; the answers, one a flow that was answered within 5 s. */
export async function ask(node: TestNode, to: string, port: number, flows = 1, bind = "", broadcast = false): Promise<readonly Answer[]> {
  const args = [program, "ask", to, String(port), String(flows), "0", bind, broadcast ? "broadcast" : ""];
  return answersIn((await node.run(process.execPath, args)).stdout.split("\n"));
}

/** The addresses, without ports, that the server saw; each once. `none` if nobody answered. */
export async function addressesSeen(node: TestNode, to: string, port: number, flows = 1, bind = ""): Promise<string> {
  const seen = new Set((await ask(node, to, port, flows, bind)).map(({ peer }) => addressOf(peer)));
  return seen.size === 0 ? "none" : [...seen].sort().join(" ");
}

export const addressOf = (peer: string): string => peer.split(":")[0] ?? "";

/** Flows that send for so long; {@link answersOf} has what came back. */
export function askOn(node: TestNode, to: string, port: number, flows: number, seconds: number): Running {
  return node.start(process.execPath, [program, "ask", to, String(port), String(flows), String(seconds)]);
}

/** One TCP connection that asks ten times a second until it is killed. */
export function talk(node: TestNode, to: string, port: number): Running {
  return node.start(process.execPath, [program, "talk", to, String(port)]);
}

export const answersOf = (running: Running): readonly Answer[] => answersIn(running.lines);

function answersIn(lines: readonly string[]): readonly Answer[] {
  return lines.filter((line) => line.includes('"peer"')).map((line) => JSON.parse(line) as Answer);
}

/** The address that a web server (`http:PORT`) says the node has; `failed` if there is no answer within 5 s. */
export async function webAddress(node: TestNode, url: string, ...options: readonly string[]): Promise<string> {
  const { status, stdout } = await node.run("curl", ["-s", "-m", "5", ...options, url]);
  return status === 0 ? addressOf(stdout) : "failed";
}
