import { type Host, HostError } from "../host/types.ts";
import { kernelRelease } from "../kernel/release.ts";
import { PROTOCOL } from "../plan/numbers.ts";
import { totalMemory } from "../process/memory.ts";
import { descriptorLimit } from "../proxy/capacity.ts";
import { earlierRules } from "./rules.ts";
import { nftTrials, trialText } from "./nft-trials.ts";
import { readSystem } from "./system.ts";
import { type Facts, PROGRAMS, type ProgramFact, type ProgramName, type Trial } from "./types.ts";

/** What the roles and their configurations add to what the machine itself shows. */
export type GivenFacts = Pick<Facts, "home" | "relay" | "configs" | "wantedCongestion" | "wantsDnsmasq"> & {
  readonly running: boolean;
  readonly overlaps: Facts["conflicts"]["overlaps"];
  /** Devices that the configuration names. */
  readonly devices: readonly string[];
};

/** How a program is asked for its version. */
const VERSION_ARGUMENTS: Readonly<Record<ProgramName, readonly string[]>> = {
  openvpn: ["--version"],
  haproxy: ["-v"],
  mptcpize: ["--help"],
  nft: ["--version"],
  ip: ["-V"],
  ss: ["-V"],
  conntrack: ["-V"],
  dnsmasq: ["--version"],
  openssl: ["version"],
  modprobe: ["--version"],
};
/** Nothing here takes long where it works (ms). */
const LIMIT = 5_000;

/** Looks at the machine and changes nothing. What can't be looked at counts as lacking. */
export async function gatherFacts(host: Host, given: GivenFacts, signal: AbortSignal): Promise<Facts> {
  const programs = new Map<ProgramName, ProgramFact>();
  for (const name of PROGRAMS) programs.set(name, await lookAtProgram(host, name, signal));
  const nft = new Map<string, Trial>();
  for (const trial of nftTrials) nft.set(trial.name, await tryOut(host, "nft", ["-c", "-f", "-"], signal, trialText(trial)));
  const congestion = words(await readText(host, "/proc/sys/net/ipv4/tcp_available_congestion_control"));
  const meminfo = (await readText(host, "/proc/meminfo")) ?? "";
  return {
    system: readSystem((await readText(host, "/etc/os-release")) ?? "", (await host.processes.find("apk")) !== undefined),
    home: given.home,
    relay: given.relay,
    root: /^Uid:\s+[0-9]+\s+0\s/m.test((await readText(host, "/proc/self/status")) ?? ""),
    kernel: {
      release: await kernelRelease(host),
      mptcp: (await readText(host, "/proc/sys/net/mptcp/enabled"))?.trim(),
      tun: await tryTun(host),
      policyRouting: await tryOut(host, "ip", ["-4", "rule", "show"], signal),
      ipMptcp: await tryOut(host, "ip", ["mptcp", "limits", "show"], signal),
      nft,
      congestion,
      loadable: await loadable(
        host,
        given.wantedCongestion.filter((name) => !congestion.includes(name)),
        signal,
      ),
    },
    programs,
    limits: {
      memory: totalMemory(meminfo),
      available: Number(/^MemAvailable:\s+([0-9]+) kB$/m.exec(meminfo)?.[1] ?? 0) * 1024,
      descriptors: descriptorLimit((await readText(host, "/proc/self/limits")) ?? ""),
      receiveBuffer: Number(words(await readText(host, "/proc/sys/net/ipv4/tcp_rmem"))[2] ?? 0),
      running: given.running,
    },
    clock: host.clock.wall(),
    conflicts: {
      mwan3: (await host.processes.find("mwan3")) !== undefined,
      flowtables: (await output(host, "nft", ["list", "flowtables"], signal)).includes("flowtable "),
      earlierRules: earlierRules(await output(host, "ip", ["-4", "-N", "rule", "show"], signal), PROTOCOL),
      overlaps: given.overlaps,
    },
    configs: given.configs,
    wantedCongestion: given.wantedCongestion,
    wantsDnsmasq: given.wantsDnsmasq,
    missingDevices: await missing(host, given.devices),
  };
}

async function lookAtProgram(host: Host, name: ProgramName, signal: AbortSignal): Promise<ProgramFact> {
  const path = await host.processes.find(name);
  if (path === undefined) return { kind: "missing" };
  try {
    const { stdout, stderr } = await host.processes.run(path, VERSION_ARGUMENTS[name], signal, { limit: LIMIT });
    const text = new TextDecoder().decode(stdout).trim();
    return { kind: "there", text: text === "" ? new TextDecoder().decode(stderr).trim() : text };
  } catch {
    signal.throwIfAborted();
    return { kind: "there", text: "" };
  }
}

/** Runs a program that must succeed; answers what it says if it does not. */
async function tryOut(host: Host, program: string, args: readonly string[], signal: AbortSignal, input = ""): Promise<Trial> {
  try {
    const { status, stderr } = await host.processes.run(program, args, signal, { limit: LIMIT, input: new TextEncoder().encode(input) });
    if (status === 0) return "";
    const said = new TextDecoder().decode(stderr).trim();
    return lastWords(said) || `${program} ended with status ${status}`;
  } catch (error) {
    signal.throwIfAborted();
    return error instanceof HostError ? error.code : String(error);
  }
}

/** nft names the place in its input, and shows it, around its words. */
function lastWords(said: string): string {
  const line = said.split("\n").find((row) => row.trim() !== "") ?? "";
  return line
    .replace(/^[^ ]*:[0-9:-]+ /, "")
    .replace(/^Error: /, "")
    .slice(0, 120);
}

async function output(host: Host, program: string, args: readonly string[], signal: AbortSignal): Promise<string> {
  try {
    const { stdout } = await host.processes.run(program, args, signal, { limit: LIMIT });
    return new TextDecoder().decode(stdout);
  } catch {
    signal.throwIfAborted();
    return "";
  }
}

async function readText(host: Host, path: string): Promise<string | undefined> {
  try {
    return new TextDecoder().decode(await host.files.read(path));
  } catch {
    return undefined;
  }
}

/** Opening it loads the module where there is one. A read from a tun that is attached to nothing fails by itself (EBADFD). */
async function tryTun(host: Host): Promise<Trial> {
  try {
    await host.files.read("/dev/net/tun");
    return "";
  } catch (error) {
    const code = error instanceof HostError ? error.code : "";
    return ["ENOENT", "ENODEV", "ENXIO", "EACCES", "EPERM", "ENOTDIR"].includes(code) ? code : "";
  }
}

async function loadable(host: Host, names: readonly string[], signal: AbortSignal): Promise<readonly string[]> {
  const found: string[] = [];
  for (const name of names) {
    if ((await tryOut(host, "modprobe", ["-n", "-q", `tcp_${name}`], signal)) === "") found.push(name);
  }
  return found;
}

async function missing(host: Host, devices: readonly string[]): Promise<readonly string[]> {
  const absent: string[] = [];
  for (const device of new Set(devices)) {
    if ((await host.files.status(`/sys/class/net/${device}`)) === undefined) absent.push(device);
  }
  return absent;
}

const words = (text = ""): readonly string[] => text.trim().split(/\s+/);
