import type { Host } from "../host/types.ts";
import { hasUbus, ubusOf } from "./ubus.ts";

const PID_FILES = "/var/run/dnsmasq";
/** procd answers at once, ms. */
const LIMIT = 2_000;

/** dnsmasq reads its servers files again on SIGHUP (dnsmasq(8)). Answers whether one was told. */
export async function tellDnsmasq(host: Host): Promise<boolean> {
  const byProcd = await tellByProcd(host);
  return (await tellByPid(host)) || byProcd;
}

/** On OpenWrt it runs in a jail whose PIDs are others than ours: procd knows it (procd.git, service/service.c, service_handle_signal). */
async function tellByProcd(host: Host): Promise<boolean> {
  if (!(await hasUbus(host))) return false;
  const ubus = ubusOf(host);
  try {
    await ubus.call("service", "signal", { name: "dnsmasq", signal: 1 }, { timeout: LIMIT });
    return true;
  } catch {
    // It does not run, or not by procd.
    return false;
  } finally {
    ubus.close();
  }
}

/** The PID of a file that outlived its dnsmasq may be another program's by now. */
async function tellByPid(host: Host): Promise<boolean> {
  let told = false;
  if ((await host.files.status(PID_FILES)) === undefined) return told;
  for (const file of await host.files.list(PID_FILES)) {
    if (!file.endsWith(".pid")) continue;
    const pid = Number(new TextDecoder().decode(await host.files.read(`${PID_FILES}/${file}`)).trim());
    if (!Number.isInteger(pid) || pid <= 1 || (await commandOf(host, pid)) !== "dnsmasq") continue;
    told = host.processes.kill(pid, "SIGHUP") || told;
  }
  return told;
}

async function commandOf(host: Host, pid: number): Promise<string> {
  try {
    return new TextDecoder().decode(await host.files.read(`/proc/${pid}/comm`)).trim();
  } catch {
    // It has ended.
    return "";
  }
}
