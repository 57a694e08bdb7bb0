import type { Host } from "../host/types.ts";
import { version } from "../plan/version.ts";
import { runCommand, STATUS } from "./frame.ts";

const usage = `usage: binder version

Prints Binder's version.
`;

export async function versionCommand(host: Host, args: readonly string[]): Promise<number> {
  return await runCommand(host, args, "binder version", { usage, positionals: { least: 0, most: 0 } }, async () => {
    host.program.stdout(`binder ${version}\n`);
    return await Promise.resolve(STATUS.well);
  });
}
