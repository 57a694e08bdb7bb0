import { type Host, HostError } from "../host/types.ts";
import type { Sysctl } from "./state.ts";
import { canonicalValue } from "./text.ts";

/** The file of a sysctl. Throws RangeError for a key that leaves /proc/sys. */
function pathOf(key: string): string {
  if (!/^[A-Za-z0-9_.-]+(\/[A-Za-z0-9_.-]+)+$/.test(key) || key.split("/").some((part) => part === "." || part === "..")) {
    throw new RangeError(`${JSON.stringify(key)} is no sysctl's key`);
  }
  return `/proc/sys/${key}`;
}

/** The present values of those that exist and can be read. */
export async function readSysctls(host: Host, keys: Iterable<string>): Promise<Sysctl[]> {
  const sysctls: Sysctl[] = [];
  for (const key of keys) {
    try {
      const value = canonicalValue(new TextDecoder().decode(await host.files.read(pathOf(key))));
      sysctls.push({ key, mode: "set", value });
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
    }
  }
  return sysctls;
}

/** Writes a value, and answers what is wrong: the kernel's refusal, or that it kept another value. Undefined: well. */
export async function writeSysctl(host: Host, key: string, value: string): Promise<string | undefined> {
  if (/[\u0000-\u001f\u007f]/.test(value)) return `${JSON.stringify(value)} has control characters`;
  try {
    const path = pathOf(key);
    await host.files.poke(path, new TextEncoder().encode(`${value}\n`));
    const kept = canonicalValue(new TextDecoder().decode(await host.files.read(path)));
    return kept === value ? undefined : `the kernel keeps it at ${kept}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
