import { compiled, type Running, type TestNode } from "../testbed/index.ts";

/** What came of a knock; see test/testbed/knock.c. */
export interface Knock {
  /** answered, closed, reset, refused, unreachable, silent, or an errno. */
  readonly end: string;
  readonly said: string;
}

export interface KnockOptions {
  /** The source address. */
  readonly from?: string;
  /** Sent first. */
  readonly send?: Uint8Array;
  /** Seconds to wait for an answer. Default 2. */
  readonly limit?: number;
}

export async function knock(
  node: TestNode,
  protocol: "tcp" | "udp",
  address: string,
  port: number,
  options: KnockOptions = {},
): Promise<Knock> {
  const args = [...knockArguments(options), protocol, address, String(port)];
  const { stdout, stderr } = await node.run(await compiled("knock"), args, { limit: ((options.limit ?? 2) * 2 + 8) * 1000 });
  if (stdout === "") throw new Error(`${node.name}: knock ${args.join(" ")} said nothing: ${stderr}`);
  return JSON.parse(stdout) as Knock;
}

/** Opens that many connections, sends on each what is to be sent first, and holds them until {@link Running.end}. */
export async function flood(node: TestNode, address: string, port: number, many: number, options: KnockOptions = {}): Promise<Running> {
  const running = node.start(await compiled("knock"), [...knockArguments(options), "flood", address, String(port), String(many)]);
  await running.line(/open/);
  return running;
}

function knockArguments({ from, send, limit = 2 }: KnockOptions): string[] {
  return [
    ...(from === undefined ? [] : ["--bind", from]),
    ...(send === undefined ? [] : ["--send", Buffer.from(send).toString("hex")]),
    ...["--limit", String(limit)],
  ];
}

/** Listens to a port on all addresses of a node, answers, and keeps what it heard. */
export class Ear {
  readonly #running: Running;

  private constructor(running: Running) {
    this.#running = running;
  }

  static async on(node: TestNode, port: number): Promise<Ear> {
    const running = node.start(await compiled("knock"), ["listen", String(port)]);
    await running.line(/listening/);
    return new Ear(running);
  }

  /** What it heard so far: `tcp 10.1.2.3`, in order. */
  get heard(): readonly string[] {
    return this.#running.lines.slice(1).map((line) => {
      const { kind, to } = JSON.parse(line) as { kind: string; to: string };
      return `${kind} ${to}`;
    });
  }
}

const text = (words: string): Uint8Array => new TextEncoder().encode(words);
const SIGNATURE = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a];

/** A header of the PROXY protocol, version 1 (haproxy's doc/proxy-protocol.txt, 2.1). */
export function headerV1(destination: string, port: number): Uint8Array {
  return text(
    destination.includes(":")
      ? `PROXY TCP6 2001:db8::9 ${destination} 1000 ${String(port)}\r\n`
      : `PROXY TCP4 192.168.1.10 ${destination} 1000 ${String(port)}\r\n`,
  );
}

/** A header of version 2 (2.2). */
export function headerV2(destination: string, port: number): Uint8Array {
  const six = destination.includes(":");
  const own = addressBytes(six ? "2001:db8::9" : "192.168.1.10");
  return rawV2(0x21, six ? 0x21 : 0x11, [...own, ...addressBytes(destination), 3, 232, port >> 8, port & 255]);
}

/** Any version, command, family and protocol. */
export function rawV2(command: number, family: number, body: readonly number[]): Uint8Array {
  return Uint8Array.from([...SIGNATURE, command, family, body.length >> 8, body.length & 255, ...body]);
}

function addressBytes(address: string): number[] {
  if (!address.includes(":")) return address.split(".").map(Number);
  const [head = "", tail = ""] = address.split("::");
  const bytes = (part: string): number[] =>
    part === ""
      ? []
      : part.split(":").flatMap((group) => {
          if (group.includes(".")) return addressBytes(group);
          const value = Number.parseInt(group, 16);
          return [value >> 8, value & 255];
        });
  const [left, right] = [bytes(head), bytes(tail)];
  return [...left, ...Array<number>(16 - left.length - right.length).fill(0), ...right];
}
