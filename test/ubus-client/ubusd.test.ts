import { decodeMessage, type Frame, FrameReader } from "../../src/ubus-client/index.ts";
import { test } from "../harness/index.ts";
import { type RecordedLine, recordings, wholeOf } from "./recorded.ts";
import { type Peer, Ubusd, type UbusdOptions } from "./ubusd.ts";

// What clients sent is sent to our ubusd again; what it answers must be what the real one answered, byte for byte.

const hex = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/** ubusd counts the events of its life, of which the recordings show a part. */
const EVENT = /^0005....00000000/;
const comparable = (text: string): string => (EVENT.test(text) ? `0005----${text.slice(8)}` : text);

/** Monitors are not played. */
const isPlayed = ({ conn }: RecordedLine): boolean => conn !== "mon";

const frameOf = (bytes: Uint8Array): Frame | undefined => [...new FrameReader().push(bytes)][0];

const HELLO = 0;
const ADD_OBJECT = 6;
const numberOf = (bytes: Uint8Array, at: number): number => new DataView(bytes.buffer).getUint32(at);

/** The numbers that the real ubusd gave out in answer to a message. */
function idsFor(index: number, lines: readonly RecordedLine[]): readonly number[] {
  const line = lines[index];
  if (line?.bytes[1] !== ADD_OBJECT) return [];
  const isAnswer = ({ conn, dir, bytes }: RecordedLine): boolean =>
    conn === line.conn && dir === "s2c" && bytes[1] === 2 && numberOf(bytes, 0) % 0x10000 === numberOf(line.bytes, 0) % 0x10000;
  const answer = lines.slice(index).find((later) => later.bytes.length > 0 && isAnswer(later));
  const found = answer === undefined ? undefined : frameOf(answer.bytes);
  const { objectId, objectType } = found === undefined ? {} : decodeMessage(found).attributes;
  return [objectType, objectId].filter((id) => id !== undefined);
}

/** Clients whose objects were there before a recording, or a case in one, began: with the numbers of type and object. */
const EARLIER: Readonly<Record<string, { readonly conn: string; readonly ids: readonly number[] }>> = {
  acl: { conn: "srv9", ids: [0xb9b2c4ec, 0x6489a594] },
  add_duplicate_path: { conn: "unrecorded", ids: [] },
};
const [PUBLISHING] = recordings["basic"]?.filter(({ bytes }) => bytes[1] === ADD_OBJECT) ?? [];

/** Who was denied what when the access lists were recorded. */
const NOBODY: NonNullable<UbusdOptions["allows"]> = ({ user }, access, name, method) =>
  user === "root" || (access === "access" && method === "echo") || (access === "listen" && name === "ubus.object.add");

class Replay {
  readonly wanted = new Map<string, string[]>();
  readonly found = new Map<string, string[]>();
  readonly #peers = new Map<string, Peer>();
  readonly #lines: readonly RecordedLine[];
  readonly #user: readonly [string, string];
  #ids: number[] = [];
  #bus: Ubusd;

  constructor(name: string, lines: readonly RecordedLine[]) {
    this.#lines = lines;
    this.#user = name === "acl" ? ["nobody", "nogroup"] : ["root", "root"];
    this.#bus = this.#start();
    this.#plant(name);
    // Order is exact for one client and direction alone: what a client says after what it was told waits for that.
    let waiting = [...lines.keys()];
    while (waiting.length > 0) {
      const next = waiting.find((index) => this.#isDue(index)) ?? waiting[0] ?? 0;
      waiting = waiting.filter((index) => index !== next);
      this.#play(next);
    }
  }

  #isDue(index: number): boolean {
    const line = this.#lines[index];
    if (line?.dir !== "c2s" || !this.#peers.has(line.conn)) return true;
    const told = this.#lines.slice(0, index).filter(({ conn, dir, bytes }) => conn === line.conn && dir === "s2c" && bytes.length > 0);
    return (this.found.get(line.conn)?.length ?? 0) >= told.length;
  }

  #start(): Ubusd {
    return new Ubusd({ nextId: () => this.#ids.shift() ?? 2 ** 31 + Math.floor(Math.random() * 2 ** 31), allows: NOBODY });
  }

  #connect(conn: string, [user, group]: readonly [string, string]): Peer {
    const out = this.found.get(conn) ?? [];
    this.found.set(conn, out);
    const peer = this.#bus.connect((sent) => out.push(comparable(hex(sent))), user, group);
    this.#peers.set(conn, peer);
    return peer;
  }

  #plant(key: string): void {
    const earlier = EARLIER[key];
    if (earlier === undefined || PUBLISHING === undefined || this.#peers.has(earlier.conn)) return;
    const peer = this.#connect(earlier.conn, ["root", "root"]);
    this.#ids = [...earlier.ids];
    peer.receive(PUBLISHING.bytes);
    // What it was told came before.
    this.found.get(earlier.conn)?.splice(0);
  }

  #play(index: number): void {
    const line = this.#lines[index];
    if (line === undefined) return;
    const { conn, dir, bytes } = line;
    if (line.note.includes("ubusd killed")) this.#bus = this.#start();
    this.#plant(line.case);
    if (bytes.length === 0) {
      if (dir === "c2s") this.#peers.get(conn)?.close();
      if (dir === "c2s") this.#peers.delete(conn);
      return;
    }
    if (!this.#peers.has(conn)) {
      const hello = this.#lines.slice(index).find((later) => later.conn === conn && later.dir === "s2c" && later.bytes[1] === HELLO);
      this.#ids = hello === undefined ? [] : [numberOf(hello.bytes, 4)];
      this.#connect(conn, this.#user);
    }
    if (dir === "s2c") {
      this.wanted.set(conn, [...(this.wanted.get(conn) ?? []), comparable(hex(wholeOf(line)))]);
    } else {
      this.#ids = [...idsFor(index, this.#lines)];
      this.#peers.get(conn)?.receive(wholeOf(line));
    }
  }
}

for (const [name, lines] of Object.entries(recordings)) {
  test(`as the real ubusd: ${name}`, (t) => {
    const { wanted, found } = new Replay(name, lines.filter(isPlayed));
    const count = [...wanted.values()].flat().length;
    t.ok(count >= 16, `${count} answers to ${wanted.size} clients`);
    for (const [conn, answers] of wanted) t.same(found.get(conn), answers, conn);
  });
}
