import type { Host, UdpSocket } from "../../src/host/types.ts";
import { decodeMessage, encodeMessage, HEADER_SIZE, type LinkMessage, NO_TOKEN } from "../../src/link/message.ts";
import { parsePrefix } from "../../src/plan/addresses.ts";
import { LinkServer } from "../../src/relay/link-server.ts";
import { test } from "../harness/index.ts";

/** A relay that hears what it is given, and the homes 2 and 3 in its book. */
async function listening() {
  const prefix = parsePrefix("198.19.0.0/16");
  if (prefix === undefined) throw new Error("no prefix");
  let now = 1000;
  let hear: Parameters<Host["sockets"]["bindUdp"]>[2] = () => undefined;
  const answers: LinkMessage[] = [];
  let changes = 0;
  const socket: UdpSocket = {
    port: 2131,
    send: async (bytes) => {
      const message = decodeMessage(bytes);
      if (message !== undefined) answers.push(message);
      await Promise.resolve();
    },
    close: () => undefined,
  };
  const parts: Pick<Host, "random"> & { clock: Pick<Host["clock"], "monotonic">; sockets: Pick<Host["sockets"], "bindUdp"> } = {
    random: (count) => new Uint8Array(count).fill(7),
    clock: { monotonic: () => now },
    sockets: {
      bindUdp: async (_address, _port, onDatagram) => {
        hear = onDatagram;
        return await Promise.resolve(socket);
      },
    },
  };
  const fallen: string[] = [];
  const link = new LinkServer(parts as unknown as Host, prefix, {
    onChange: () => (changes += 1),
    restarted: () => 0b1000,
    onFall: (home, lanes) => fallen.push(`${String(home)}: ${lanes.join(" ")}`),
  });
  await link.open("198.19.0.1");
  link.admit(new Set([2, 3]));
  let counter = 0;
  const probe = (from: string, more: Partial<LinkMessage> = {}): void => {
    counter += 1;
    const message = {
      type: "probe",
      lane: 1,
      live: 2,
      boot: "aaaaaaaaaaaaaaaa",
      counter,
      sent: 0,
      token: NO_TOKEN,
      mtu: 1400,
      twice: false,
      restarted: 0,
      need: { reserved: 0, alone: 0 },
      window: 0,
    } as const;
    hear({ bytes: encodeMessage({ ...message, ...more }, HEADER_SIZE), address: from, port: 4000 });
  };
  return {
    link,
    answers,
    probe,
    /** Probes until it is believed. */
    join: (from: string, more: Partial<LinkMessage> = {}): void => {
      probe(from, more);
      probe(from, { ...more, token: answers.at(-1)?.token ?? NO_TOKEN });
    },
    pass: (ms: number): void => {
      now += ms;
    },
    fallen,
    get changes() {
      return changes;
    },
  };
}

test("a home's claim is believed after a challenge, and names its own lanes alone", async (t) => {
  const relay = await listening();
  relay.probe("198.19.16.2");
  t.same(relay.answers[0]?.type, "challenge");
  t.same([...relay.link.live()], [], "not yet");
  relay.probe("198.19.16.2", { token: relay.answers[0]?.token ?? "" });
  t.same([...relay.link.live()], [[2, [{ lane: 1, mtu: 1400, window: 0 }]]]);
});

test("who is not in the book, or sends from elsewhere, is not heard", async (t) => {
  const relay = await listening();
  for (const from of ["198.19.16.4", "198.19.16.1", "198.19.0.2", "45.0.200.2", "198.20.16.2"]) relay.probe(from);
  relay.probe("198.19.32.2", { lane: 1 });
  t.same(relay.answers, [], "no answer");
  t.same([...relay.link.live()], []);
  relay.join("198.19.16.2");
  relay.link.admit(new Set([3]));
  relay.link.forget(2);
  relay.probe("198.19.16.2");
  t.same([...relay.link.live()], [], "a removed home's last probe brings nothing back");
});

test("a packet size that no route can have is made one that it can", async (t) => {
  const relay = await listening();
  relay.join("198.19.16.2", { mtu: 0 });
  relay.join("198.19.16.3", { mtu: 65535 });
  t.same([...relay.link.live().values()].flat(), [
    { lane: 1, mtu: 576, window: 0 },
    { lane: 1, mtu: 1400, window: 0 },
  ]);
});

test("a home that changes its mind all the time wakes the relay seldom, and another one is still heard at once", async (t) => {
  const relay = await listening();
  relay.join("198.19.16.2");
  for (let i = 0; i < 1000; i++) {
    relay.pass(10);
    relay.probe("198.19.16.2", { live: i % 2 === 0 ? 4 : 2 });
  }
  t.ok(relay.changes <= 2 * (16 + 10) + 1, `${String(relay.changes)} wakes in ten seconds`);
  const before = relay.changes;
  relay.join("198.19.16.3");
  t.equal(relay.changes, before + 1);
});

test("a home that has said much else is heard when a lane of it falls", async (t) => {
  const relay = await listening();
  relay.join("198.19.16.2", { live: 0b110 });
  for (let i = 1; i <= 100; i++) relay.probe("198.19.16.2", { live: 0b110, window: i });
  t.ok(relay.changes < 20, `${String(relay.changes)} wakes`);
  const before = relay.changes;
  relay.probe("198.19.16.2", { live: 0b010 });
  t.same(relay.fallen, ["2: 2"]);
  t.equal(relay.changes, before + 1);
});

test("what a former daemon routed by is kept for a minute, until the home is heard or removed", async (t) => {
  const relay = await listening();
  relay.link.adopt(
    new Map([
      [2, [{ lane: 3, mtu: 1400, window: 0 }]],
      [3, [{ lane: 4, mtu: 1400, window: 0 }]],
    ]),
  );
  relay.join("198.19.16.2");
  t.same(relay.link.live().get(2), [{ lane: 1, mtu: 1400, window: 0 }], "its own word counts");
  t.same(relay.link.live().get(3), [{ lane: 4, mtu: 1400, window: 0 }]);
  relay.link.forget(3);
  t.equal(relay.link.live().has(3), false);
  relay.link.adopt(new Map([[3, [{ lane: 4, mtu: 1400, window: 0 }]]]));
  relay.pass(60_000);
  t.equal(relay.link.live().has(3), false, "a minute is over");
});

test("homes are told which lanes' servers are new", async (t) => {
  const relay = await listening();
  relay.join("198.19.16.2");
  t.equal(relay.answers.at(-1)?.restarted, 0b1000);
});

test("lanes that a home claims no more are told at once, by number", async (t) => {
  const relay = await listening();
  relay.join("198.19.16.2", { live: 0b1110 });
  relay.probe("198.19.16.2", { live: 0b1110 });
  t.same(relay.fallen, []);
  relay.probe("198.19.16.2", { live: 0b0010 });
  t.same(relay.fallen, ["2: 2 3"]);
  relay.probe("198.19.16.2", { live: 0b0110 });
  relay.probe("198.19.16.3", { live: 0 });
  t.same(relay.fallen, ["2: 2 3"], "one that comes is no loss, and whoever is not believed tells nothing");
});

test("a home says how much a subflow may send at once, lane by lane, and no more than any line takes", async (t) => {
  const relay = await listening();
  relay.join("198.19.16.2", { live: 0b110, window: 64 });
  relay.probe("198.19.32.2", { lane: 2, live: 0b110, window: 0xffff });
  const lane = (number: number, window: number) => ({ lane: number, mtu: 1400, window });
  t.same(relay.link.live().get(2), [lane(1, 64), lane(2, 128)]);
  const changes = relay.changes;
  relay.probe("198.19.16.2", { live: 0b110, window: 32 });
  t.same(relay.link.live().get(2), [lane(1, 32), lane(2, 128)]);
  t.equal(relay.changes, changes + 1, "the kernel is told at once");
});

test("the relay's send buffers are as large as the neediest home asks for", async (t) => {
  const relay = await listening();
  const { link, join, probe } = relay;
  const need = (reserved: number, alone = 0) => ({ reserved, alone });
  t.same(link.need, need(0), "no home is known");
  join("198.19.16.2", { need: need(1_000_000, 5) });
  t.same(link.need, need(1_000_000, 5));
  join("198.19.16.3", { boot: "bbbbbbbbbbbbbbbb", need: need(600_000, 700_000) });
  t.same(link.need, need(1_000_000, 700_000));
  const changes = relay.changes;
  probe("198.19.16.2", { need: need(500_000) });
  t.same(link.need, need(600_000, 700_000));
  t.equal(relay.changes, changes + 1, "the kernel is told at once");
  probe("198.19.16.2", { need: need(500_000), counter: 1 });
  t.equal(relay.changes, changes + 1);
  link.forget(2);
  link.forget(3);
  t.same(link.need, need(0));
});
