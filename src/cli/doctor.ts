import { callControl, NotRunningError } from "../control/client.ts";
import { CONTROL_SOCKET, RELAY_CONTROL_SOCKET } from "../control/types.ts";
import { diagnose } from "../doctor/diagnose.ts";
import { gatherFacts } from "../doctor/gather.ts";
import type { Host } from "../host/types.ts";
import { configuredFacts } from "./doctor/configured.ts";
import { renderDiagnosis } from "./doctor/table.ts";
import { runCommand, STATUS } from "./frame.ts";

const usage = `usage: binder doctor [--relay] [--json]

Checks what Binder needs of this machine: kernel, programs, limits, what else may be in the way, the configuration. Changes nothing.
It says what to install, by the names of this system's packages. Run it as root, as some of it can't be tried otherwise.

--relay  check as a relay, though this machine is none yet
--json   print {"ok", "system", "findings": [{check, level, found, advice, packages}], "install"}

Exit status 0 if nothing is an error, 1 otherwise.
`;

/** `binder doctor`; answers the exit status. */
export async function doctorCommand(host: Host, args: readonly string[]): Promise<number> {
  const shape = { usage, flags: ["relay", "json"], positionals: { least: 0, most: 0 } };
  return await runCommand(host, args, "binder doctor", shape, async ({ flags }, signal) => {
    const configured = await configuredFacts(host, flags.has("relay"), signal);
    const facts = await gatherFacts(host, { ...configured, running: await isRunning(host, signal) }, signal);
    const diagnosis = diagnose(facts);
    host.program.stdout(flags.has("json") ? `${JSON.stringify(diagnosis)}\n` : renderDiagnosis(diagnosis));
    return diagnosis.ok ? STATUS.well : STATUS.failed;
  });
}

async function isRunning(host: Host, signal: AbortSignal): Promise<boolean> {
  for (const socket of [CONTROL_SOCKET, RELAY_CONTROL_SOCKET]) {
    try {
      await callControl(host, socket, "status", {}, signal);
      return true;
    } catch (error) {
      signal.throwIfAborted();
      // A daemon that does not answer runs nevertheless; without the right to ask it nobody knows.
      if (!(error instanceof NotRunningError)) return false;
    }
  }
  return false;
}
