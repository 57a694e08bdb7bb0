import { callControl, NotRunningError } from "../control/client.ts";
import { CONTROL_SOCKET, type HomeStatus, RELAY_CONTROL_SOCKET, type RelayStatus } from "../control/types.ts";
import type { Host } from "../host/types.ts";
import { runCommand, STATUS } from "./frame.ts";
import { renderHome, renderRelay } from "./status-table.ts";

const usage = `usage: binder status [--json]

Shows what Binder does on this machine: at a home each gateway's state, delay, loss and rates, what is wrong and what to do about it;
at a relay its homes.

--json  as one JSON object
`;

export async function statusCommand(host: Host, args: readonly string[]): Promise<number> {
  const shape = { usage, flags: ["json"], positionals: { least: 0, most: 0 } };
  return await runCommand(host, args, "binder status", shape, async (given, signal) => {
    const answers: unknown[] = [];
    for (const socket of [CONTROL_SOCKET, RELAY_CONTROL_SOCKET]) {
      try {
        answers.push(await callControl(host, socket, "status", {}, signal));
      } catch (error) {
        if (!(error instanceof NotRunningError)) throw error;
      }
    }
    if (answers.length === 0) {
      host.program.stderr("binder status: Binder is not running: start it with binder run (at a relay: binder relay run)\n");
      return STATUS.notRunning;
    }
    for (const answer of answers) {
      if (given.flags.has("json")) host.program.stdout(`${JSON.stringify(answer)}\n`);
      else if (isHome(answer)) host.program.stdout(renderHome(answer));
      else if (isRelay(answer)) host.program.stdout(renderRelay(answer));
    }
    return STATUS.well;
  });
}

const hasRole = (answer: unknown, role: string): boolean =>
  typeof answer === "object" && answer !== null && "role" in answer && answer.role === role;
const isHome = (answer: unknown): answer is HomeStatus => hasRole(answer, "home");
const isRelay = (answer: unknown): answer is RelayStatus => hasRole(answer, "relay");
