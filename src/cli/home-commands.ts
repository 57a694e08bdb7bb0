import { checkCommand } from "./check.ts";
import { cleanupCommand } from "./cleanup.ts";
import { configCommand } from "./config.ts";
import type { Commands } from "./dispatch.ts";
import { doctorCommand } from "./doctor.ts";
import { joinCommand } from "./join.ts";
import { runHomeCommand } from "./run.ts";
import { statusCommand } from "./status.ts";
import { stopCommand } from "./stop.ts";
import { versionCommand } from "./version.ts";

/** What a router at home needs. */
export const homeCommands: Commands = {
  run: { summary: "run the home's daemon", run: runHomeCommand },
  stop: { summary: "end Binder on this machine, and remove all that it made", run: stopCommand },
  status: { summary: "show what works, what does not, and what to do", run: statusCommand },
  check: { summary: "check a configuration", run: checkCommand },
  join: { summary: "join a relay with its invite", run: joinCommand },
  config: { summary: "print a UCI file as uci export and uci show do", run: configCommand },
  cleanup: { summary: "remove what Binder has left in the kernel", run: cleanupCommand },
  doctor: { summary: "check what this machine lacks, and how to get it", run: doctorCommand },
  version: { summary: "print Binder's version", run: versionCommand },
};
