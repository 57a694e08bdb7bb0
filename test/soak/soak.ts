import { answersOf, serveEcho, talk } from "../net/echo.ts";
import { BINDER, Household, PORT, SERVER, until } from "../net/household.ts";
import { processes } from "../net/relay.ts";
import type { TestNode } from "../testbed/index.ts";
import { randomFrom, type ScheduledFault, scheduleFaults } from "./schedule.ts";

export interface SoakResult {
  readonly flows: number;
  /** Those that were begun again. */
  readonly again: number;
  readonly megabytes: number;
  readonly faults: number;
  /** What became of each flow that was lost; empty if all is well. */
  readonly lost: readonly string[];
  /** What is not where it was in the middle; empty if all is. */
  readonly moved: readonly string[];
}

const gateways = [
  { rate: 12e6, delay: 10, attach: "wan" },
  { rate: 6e6, delay: 30 },
  { rate: 4e6, delay: 60 },
  { rate: 16e6, delay: 5, attach: "wan" },
] as const;
const ECHO = 7001;
const LARGEST = 6e6;
/** A flow takes no longer than this (s): the slowest gateway alone carries the largest in half of it, beside the others. */
const PATIENCE = 90;
/** Such a flow has to end within this time (s), for its client to begin again. */
const RETRIED_WITHIN = 10;
/** What Node may hold more than in the middle, MB: its heap is collected when it likes. */
const MEMORY_SLACK = 40;
const DESCRIPTOR_SLACK = 6;

interface Held {
  readonly [what: string]: number;
}

/** So many seconds of random faults, with downloads, uploads and a session that lasts. */
export async function soak(seconds: number, seed: number, say: (text: string) => void): Promise<SoakResult> {
  const house = await Household.create({ gateways, seed, lanHosts: 3 }, { mainOptions: ["option log_level 'info'"] });
  try {
    await house.lanesUp(gateways.length);
    await serveEcho(house.node("server"), `tcp:${String(ECHO)}`);
    const session = talk(house.node("lan3"), SERVER, ECHO);
    const faults = scheduleFaults(seed, seconds, gateways.length);
    const began = performance.now();
    const passed = (): number => (performance.now() - began) / 1000;
    const lost: string[] = [];
    let flows = 0;
    let bytes = 0;
    let again = 0;
    const load = async (host: string, kind: "get" | "put", random: () => number): Promise<void> => {
      while (passed() < seconds - 5) {
        const size = Math.round(10 ** (3 + random() * (Math.log10(LARGEST) - 3)));
        const words = [kind, "--to", SERVER, "--port", String(PORT), "--bytes", String(size), "--limit", String(PATIENCE)];
        for (;;) {
          const at = passed();
          const { content, end, bytes: moved } = await house.flow(words, (PATIENCE + 10) * 1000, host);
          flows += 1;
          bytes += moved;
          if (content === "good" && end === "complete") break;
          const told = `${kind} of ${String(size)} bytes from ${at.toFixed(1)} s to ${passed().toFixed(1)} s: ${content}, ${end}`;
          if (content !== "good" || !faults.some((fault) => justBegun(fault, at)) || passed() - at > RETRIED_WITHIN) {
            lost.push(told);
            break;
          }
          say(`again: ${told}`);
          again += 1;
        }
      }
    };
    const fail = async (): Promise<void> => {
      const running: Promise<void>[] = [];
      for (const fault of faults) {
        await sleepUntil(() => passed(), fault.at);
        say(
          `${passed().toFixed(1)} s: ${fault.kind}${fault.gateway === 0 ? "" : ` at gateway ${String(fault.gateway)}, ${fault.lasts.toFixed(1)} s`}`,
        );
        running.push(run(house, fault));
      }
      await Promise.all(running);
    };
    let middle: Held = {};
    const remember = async (): Promise<void> => {
      await sleepUntil(() => passed(), seconds / 2);
      middle = await held(house);
    };
    await Promise.all([
      load("lan1", "get", randomFrom(seed + 1)),
      load("lan2", "put", randomFrom(seed + 2)),
      load("lan2", "get", randomFrom(seed + 3)),
      fail(),
      remember(),
    ]);
    await house.lanesUp(gateways.length, 150_000);
    const answered = answersOf(session).length;
    await until("the session is answered at the end", 5_000, async () =>
      Promise.resolve(answersOf(session).length > answered ? true : undefined),
    ).catch(() => lost.push(`the session: ${session.lines.at(-1) ?? ""}`));
    if (new Set(answersOf(session).map(({ peer }) => peer)).size !== 1) lost.push("the session was not one connection");
    await session.end();
    const end = await until("connections of the past are gone", 30_000, async () => {
      const found = await held(house);
      return moved(middle, found).length === 0 ? found : undefined;
    }).catch(async () => await held(house));
    return { flows, again, megabytes: bytes / 1e6, faults: faults.length, lost, moved: moved(middle, end) };
  } catch (error) {
    say(`home: ${house.homeDaemon.stderr.slice(-4000)}\nrelay: ${house.relayDaemon.stderr.slice(-2000)}`);
    throw error;
  } finally {
    await house.close();
  }
}

/** A flow that began in the last round trips before its gateway failed may have to be begun again: no other gateway knew of it yet. */
function justBegun(fault: ScheduledFault, at: number): boolean {
  return fault.gateway > 0 && fault.at - 1 < at && at < fault.at + 0.5;
}

async function sleepUntil(passed: () => number, at: number): Promise<void> {
  while (passed() < at) await new Promise((resolve) => setTimeout(resolve, Math.min(100, (at - passed()) * 1000 + 1)));
}

async function run(house: Household, { kind, gateway, lasts }: ScheduledFault): Promise<void> {
  const wait = async (): Promise<void> => await new Promise((resolve) => setTimeout(resolve, lasts * 1000));
  const link = gateway === 0 ? undefined : house.testbed.link(gateway);
  const delay = gateways[gateway - 1]?.delay ?? 0;
  switch (kind) {
    case "cut":
      await link?.cut();
      await wait();
      await link?.mend();
      break;
    case "cut up":
    case "cut down": {
      const way = kind === "cut up" ? "up" : "down";
      await link?.set({ [way]: { block: true } });
      await wait();
      await link?.set({ [way]: { block: false } });
      break;
    }
    case "lossy":
      await link?.set({ loss: 0.3 });
      await wait();
      await link?.set({ loss: 0 });
      break;
    case "slow":
      await link?.set({ delay: delay + 500 });
      await wait();
      await link?.set({ delay });
      break;
    case "unplugged": {
      // Those of the mesh share its interface: their own end is pulled.
      const wan = "attach" in (gateways[gateway - 1] ?? {});
      const [node, device] = wan ? [house.node("home"), `wan${String(gateway)}`] : [house.node(`gw${String(gateway)}`), "mesh0"];
      await node.ip([`link set ${device} down`]);
      await wait();
      await node.ip([`link set ${device} up`]);
      break;
    }
    case "NAT forgotten":
      await house.node(`gw${String(gateway)}`).must("conntrack", ["-F"]);
      break;
    case "OpenVPN killed": {
      const home = house.node("home");
      // One that is just being started has no record.
      const record = await until("its OpenVPN runs", 10_000, async () => {
        return await home.read(`/run/binder/processes/lane-${String(gateway)}.json`).catch(() => undefined);
      });
      const { pid } = JSON.parse(record) as { pid: number };
      await home.run("kill", ["-9", String(pid)]);
      break;
    }
    case "reload":
      house.homeDaemon.kill("SIGHUP");
      break;
    case "daemon killed":
      house.homeDaemon.kill("SIGKILL");
      await house.homeDaemon.exit;
      house.homeDaemon = house.node("home").start(BINDER, ["run"]);
      break;
    case "relay's daemon killed":
      house.relayDaemon.kill("SIGKILL");
      await house.relayDaemon.exit;
      house.relayDaemon = house.node("relay").start(BINDER, ["relay", "run"]);
      break;
  }
}

/** Memory and descriptors of both daemons, and how much of Binder is in both kernels. */
async function held(house: Household): Promise<Held> {
  const found: Record<string, number> = {};
  for (const name of ["home", "relay"]) {
    const node = house.node(name);
    const daemon = (await processes(node)).find(
      ({ arguments: words }) => words.trimEnd().endsWith("binder run") || words.trimEnd().endsWith("binder relay run"),
    );
    const pid = String(daemon?.pid);
    const status = await node.read(`/proc/${pid}/status`);
    found[`${name}: memory, MB`] = Number(/VmRSS:\s*([0-9]+)/.exec(status)?.[1]) / 1024;
    found[`${name}: descriptors`] = await lines(node, "ls", [`/proc/${pid}/fd`]);
    found[`${name}: processes`] = await lines(node, "ps", ["-eo", "pid="]);
    found[`${name}: rules`] = await lines(node, "ip", ["rule"]);
    found[`${name}: endpoints`] = await lines(node, "ip", ["mptcp", "endpoint"]);
  }
  return found;
}

async function lines(node: TestNode, program: string, args: readonly string[]): Promise<number> {
  return (await node.must(program, [...args])).trim().split("\n").length;
}

function moved(before: Held, after: Held): readonly string[] {
  return Object.entries(after).flatMap(([what, value]) => {
    const was = before[what] ?? Number.NaN;
    const slack = what.includes("memory") ? MEMORY_SLACK : what.includes("rules") ? 0 : DESCRIPTOR_SLACK;
    return value <= was + slack ? [] : [`${what}: ${value.toFixed(0)}, and ${was.toFixed(0)} in the middle`];
  });
}
