import type { Host } from "../host/types.ts";
import { version } from "../plan/version.ts";

export async function versionCommand(host: Host, args: readonly string[]): Promise<number> {
  if (args.includes("--help")) host.program.stdout("usage: binder version\n\nPrints Binder's version.\n");
  else host.program.stdout(`binder ${version}\n`);
  return await Promise.resolve(0);
}
