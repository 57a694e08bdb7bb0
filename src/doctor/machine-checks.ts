import { maximumConnections } from "../proxy/capacity.ts";
import { bad, well } from "./findings.ts";
import type { Facts, Finding } from "./types.ts";

const MEGABYTE = 1024 * 1024;
/** Below, one HAProxy, a few OpenVPNs and their buffers don't fit beside the system. */
const LEAST_MEMORY = 60 * MEGABYTE;
const ENOUGH_MEMORY = 110 * MEGABYTE;
const LEAST_AVAILABLE = 24 * MEGABYTE;
/** A household of a few people has some hundred connections open. */
const ENOUGH_CONNECTIONS = 1_000;
/** With less, one flow over several lines does not get their sum. */
const RECEIVE_BUFFER = 6 * 1_000_000;
/** 2024-01-01 and 2100-01-01. */
const EARLIEST = 1_704_067_200_000;
const LATEST = 4_102_444_800_000;

/** Memory, limits, clock. */
export function checkMachine({ limits, clock, system }: Facts): readonly Finding[] {
  return [memory(limits), connections(limits), buffers(limits), time(clock, system.packages === "apt")];
}

function memory({ memory: total, available }: Facts["limits"]): Finding {
  const found = `${mega(total)} MB, ${mega(available)} MB of it free`;
  if (total < LEAST_MEMORY)
    return bad("error", "memory", `${found}: too little for OpenVPN, HAProxy and their buffers`, "use a device with 128 MB or more");
  if (total < ENOUGH_MEMORY) return bad("warning", "memory", `${found}: little`, "use few gateways, or a device with 128 MB or more");
  if (available < LEAST_AVAILABLE) return bad("warning", "memory", `${found}: nearly all is used`, "stop what this machine does not need");
  return well("memory", found);
}

function connections({ memory: total, descriptors }: Facts["limits"]): Finding {
  const most = maximumConnections(total, descriptors);
  const found = `${most} connections at a time (memory ${mega(total)} MB, ${descriptors} open files)`;
  if (most >= ENOUGH_CONNECTIONS) return well("connections", found);
  const byFiles = maximumConnections(Number.MAX_SAFE_INTEGER, descriptors) <= most;
  const advice = byFiles
    ? "raise the limit of open files (ulimit -n) where Binder is started"
    : "enough for a household of few people; more need more memory";
  return bad("warning", "connections", found, advice);
}

function buffers({ receiveBuffer, running }: Facts["limits"]): Finding {
  const found = `tcp_rmem allows ${(receiveBuffer / 1e6).toFixed(1)} MB`;
  if (receiveBuffer >= RECEIVE_BUFFER) return well("buffers", found);
  if (!running) return well("buffers", `${found}; Binder raises it while it runs`);
  return bad(
    "warning",
    "buffers",
    `${found}, though Binder runs: one download will not get the sum`,
    "does another program set net.ipv4.tcp_rmem? (see /etc/sysctl.d, /etc/sysctl.conf)",
  );
}

function time(clock: number, debian: boolean): Finding {
  const day = new Date(clock).toISOString().slice(0, 10);
  if (clock >= EARLIEST && clock < LATEST) return well("clock", day);
  const advice = `set it by NTP${debian ? " (apt-get install systemd-timesyncd)" : ""}; Binder works without, but secure web pages don't`;
  return bad("warning", "clock", `it says ${day}, which is wrong`, advice);
}

const mega = (bytes: number): string => Math.round(bytes / MEGABYTE).toString();
