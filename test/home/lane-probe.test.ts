import { LaneProbe } from "../../src/home/lane-probe.ts";
import type { Datagram, Host } from "../../src/host/types.ts";
import { decodeMessage, encodeMessage, HEADER_SIZE } from "../../src/link/message.ts";
import { test } from "../harness/index.ts";

const SERVICE = "198.19.0.1";

/** A lane's probes, and a relay that answers those up to a size (bytes of the datagram; 0: none). */
function lane() {
  let now = 1_000;
  let counter = 0;
  let largest = 0;
  const sent: Uint8Array[] = [];
  let deliver: (datagram: Datagram) => void = () => undefined;
  const parts: { clock: Pick<Host["clock"], "monotonic">; sockets: Pick<Host["sockets"], "bindUdp"> } = {
    clock: { monotonic: () => now },
    sockets: {
      bindUdp: async (_address, _port, onDatagram) => {
        deliver = onDatagram;
        return await Promise.resolve({
          port: 4000,
          send: async (bytes: Uint8Array, _to: string, port: number) => {
            await Promise.resolve();
            const message = decodeMessage(bytes);
            sent.push(bytes);
            if (message === undefined || bytes.length > largest) return;
            deliver({ bytes: encodeMessage({ ...message, type: "echo" }, bytes.length), address: SERVICE, port });
          },
          close: () => undefined,
        });
      },
    },
  };
  const identity = { boot: "aaaaaaaaaaaaaaaa", nextCounter: () => (counter += 1), need: () => ({ reserved: 0, alone: 0 }), live: () => 0 };
  const options = {
    lane: 1,
    address: "198.19.16.2",
    service: SERVICE,
    mtu: 1400,
    window: () => 0,
    loaded: () => false,
    dead: () => false,
    onRestarted: () => undefined,
    onHeard: () => undefined,
  };
  const probe = new LaneProbe(parts as unknown as Host, identity, options);
  return {
    probe,
    /** Sends a small probe that nobody answers yet, at this moment. */
    sendAt: async (at: number): Promise<void> => {
      [now, largest] = [at, 0];
      await probe.send("small");
    },
    /** The relay's answer to the probe of this index comes in. */
    echo: (index: number, at: number): void => {
      now = at;
      const message = decodeMessage(sent[index] ?? new Uint8Array());
      if (message !== undefined) deliver({ bytes: encodeMessage({ ...message, type: "echo" }, HEADER_SIZE), address: SERVICE, port: 4000 });
    },
    /** As a lane that does not carry does it, a second apart. */
    probeFor: async (seconds: number, passes: number): Promise<void> => {
      largest = passes;
      for (let second = 0; second < seconds; second += 1) {
        now += 1_000;
        await probe.send(second % 2 === 0 ? "small" : "full");
      }
    },
  };
}

test("an outage says nothing of the largest packet: the lane comes back with the MTU that it had", async (t) => {
  const { probe, probeFor } = lane();
  await probeFor(4, 9_000);
  t.same([probe.search.mtu, probe.search.proven], [1400, true]);
  probe.restartSearch();
  await probeFor(600, 0);
  t.equal(probe.search.mtu, 1400);
  await probeFor(4, 9_000);
  t.same([probe.search.mtu, probe.search.proven], [1400, true]);
});

test("each probe is waited for, those that were sent while another was under way, too", async (t) => {
  const { probe, sendAt, echo } = lane();
  for (const at of [1_000, 1_100, 1_200]) await sendAt(at);
  t.equal(probe.unechoedSince, 1_000);
  echo(0, 1_150);
  t.equal(probe.unechoedSince, 1_100);
  probe.heard(1_160);
  t.same([probe.unansweredSince, probe.unechoedSince], [undefined, 1_100], "bytes are an answer, and no echo");
  echo(2, 1_350);
  t.equal(probe.unechoedSince, undefined, "one that is lost is not waited for once a later one has come");
  for (let at = 2_000; at < 2_100; at += 1) await sendAt(at);
  t.equal(probe.unechoedSince, 2_000);
  echo(102, 2_300);
  t.equal(probe.unechoedSince, undefined);
});

test("where small packets pass alone, smaller and smaller ones are tried", async (t) => {
  const { probe, probeFor } = lane();
  await probeFor(120, HEADER_SIZE);
  t.ok(probe.search.mtu < 1000, `${String(probe.search.mtu)} bytes`);
  t.notOk(probe.search.proven);
  await probeFor(4, 9_000);
  t.ok(probe.search.proven);
});
