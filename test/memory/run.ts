/**
 * What Binder takes of a router's memory: the executable for routers of this machine's architecture, with eight gateways.
 *
 *     make test-memory [MINUTES=10]
 *
 * The daemon first, for ten minutes of ten times what a household sees: a link that goes and comes every six seconds (usually, a minute), a
 * configuration that is read again as often, three looks at the status every second (LuCI's page, every three seconds). Then all of it,
 * OpenVPNs and HAProxy too, with 500 connections open.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Household, PORT, SERVER } from "../net/household.ts";
import { compiled, projectRoot, type TestNode } from "../testbed/index.ts";

const EXECUTABLE = process.env["EXECUTABLE"] ?? `${projectRoot}/build/dist/binder-x86_64`;
const MINUTES = Number(process.env["MINUTES"] ?? 10);
const GATEWAYS = 8;
const CONNECTIONS = 500;
/** kB: the daemon's resident memory, how much of it may be added from the second minute to the last, and all programs' own memory. */
const LIMITS = { daemon: 6_000, growth: 150, all: 40_000 };
const FLAP_EVERY = 6;

interface Use {
  readonly resident: number;
  /** Pages shared by so many count so much less. */
  readonly proportional: number;
}

/** The memory of each program of these names, kB. */
async function memory(node: TestNode, names: readonly string[]): Promise<readonly Use[]> {
  const text = await node.must("sh", [
    "-c",
    'for p in /proc/[0-9]*; do echo "== $(cat $p/comm)"; cat $p/smaps_rollup; done 2>/dev/null; true',
  ]);
  const kilobytes = (part: string, what: string): number => Number(new RegExp(`^${what}:\\s+([0-9]+)`, "m").exec(part)?.[1] ?? 0);
  return text
    .split("== ")
    .filter((part) => names.includes(part.slice(0, part.indexOf("\n"))))
    .map((part) => ({ resident: kilobytes(part, "Rss"), proportional: kilobytes(part, "Pss") }));
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const mean = (values: readonly number[]): number => sum(values) / values.length;
const failures: string[] = [];
function judge(what: string, kilobytes: number, limit: number): void {
  console.log(`${what}: ${String(Math.round(kilobytes))} kB, at most ${String(limit)}`);
  if (!(kilobytes <= limit)) failures.push(what);
}

const gateways = Array.from({ length: GATEWAYS }, (_, index) => ({ rate: 8e6, delay: 10, attach: index === 0 ? "wan" : "mesh" }) as const);
const house = await Household.create({ gateways });
try {
  const home = house.node("home");
  house.homeDaemon.kill("SIGTERM");
  await house.homeDaemon.exit;
  // Under a name of its own among the programs.
  const name = "binder-router";
  await home.must("cp", [EXECUTABLE, `/tmp/${name}`]);
  const daemon = home.start(`/tmp/${name}`, ["run"]);
  await house.lanesUp(GATEWAYS);
  const seen: number[] = [];
  const until = Date.now() + MINUTES * 60_000;
  for (let second = 0; Date.now() < until; second += 1) {
    const began = Date.now();
    if (second % FLAP_EVERY === 0) await home.ip(["link set wan1 down"]);
    if (second % FLAP_EVERY === 3) await home.ip(["link set wan1 up"]);
    if (second % FLAP_EVERY === 5) daemon.kill("SIGHUP");
    for (let look = 0; look < 3; look += 1) await home.must(`/tmp/${name}`, ["status", "--json"]);
    // A child that has not become another program yet has its name, too.
    seen.push(Math.max(...(await memory(home, [name])).map(({ resident }) => resident)));
    await sleep(Math.max(0, 1_000 - (Date.now() - began)));
  }
  const [early, late] = [mean(seen.slice(60, 120)), mean(seen.slice(-60))];
  console.log(
    `resident, kB, by the minute: ${Array.from({ length: Math.ceil(seen.length / 60) }, (_, minute) => Math.round(mean(seen.slice(minute * 60, minute * 60 + 60)))).join(" ")}`,
  );
  judge("the daemon at its most", Math.max(...seen), LIMITS.daemon);
  judge("more in the last minute than in the second", late - early, LIMITS.growth);
  await house.lanesUp(GATEWAYS);
  const load = house
    .node("lan1")
    .start(await compiled("flow"), [
      ...["get", "--to", SERVER, "--port", String(PORT), "--seconds", "30", "--parallel", String(CONNECTIONS)],
    ]);
  await sleep(15_000);
  const all = await memory(home, [name, "openvpn", "haproxy"]);
  console.log(
    `with ${String(CONNECTIONS)} connections: ${String(sum(all.map(({ resident }) => resident)))} kB resident, shared pages counted for each`,
  );
  judge("all programs", sum(all.map(({ proportional }) => proportional)), LIMITS.all);
  await load.end();
} finally {
  await house.close();
}
for (const failure of failures) console.log(`NOT MET: ${failure}`);
process.exitCode = failures.length === 0 ? 0 : 1;
