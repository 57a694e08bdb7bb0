import type { Commands } from "./dispatch.ts";

/** What a router at home needs. */
export const homeCommands: Commands = {
  run: { summary: "run the home's daemon", load: async () => (await import("./run.ts")).runHomeCommand },
  stop: { summary: "end Binder on this machine, and remove all that it made", load: async () => (await import("./stop.ts")).stopCommand },
  status: { summary: "show what works, what does not, and what to do", load: async () => (await import("./status.ts")).statusCommand },
  check: { summary: "check a configuration", load: async () => (await import("./check.ts")).checkCommand },
  join: { summary: "join a relay with its invite", load: async () => (await import("./join.ts")).joinCommand },
  config: { summary: "print a UCI file as uci export and uci show do", load: async () => (await import("./config.ts")).configCommand },
  cleanup: { summary: "remove what Binder has left in the kernel", load: async () => (await import("./cleanup.ts")).cleanupCommand },
  doctor: { summary: "check what this machine lacks, and how to get it", load: async () => (await import("./doctor.ts")).doctorCommand },
  version: { summary: "print Binder's version", load: async () => (await import("./version.ts")).versionCommand },
};
