import type { Host } from "../host/types.ts";

const AVAILABLE = "/proc/sys/net/ipv4/tcp_available_congestion_control";

/** The congestion controls that the kernel has loaded. */
export async function availableCongestion(host: Host): Promise<ReadonlySet<string>> {
  return new Set(
    new TextDecoder()
      .decode(await host.files.read(AVAILABLE))
      .trim()
      .split(/\s+/),
  );
}

/** Has the kernel load a congestion control that it may have as a module. Answers whether it is there. */
export async function loadCongestion(host: Host, name: string, signal: AbortSignal): Promise<boolean> {
  if ((await availableCongestion(host)).has(name)) return true;
  try {
    await host.processes.run("modprobe", [`tcp_${name}`], signal);
  } catch {
    signal.throwIfAborted();
  }
  return (await availableCongestion(host)).has(name);
}
