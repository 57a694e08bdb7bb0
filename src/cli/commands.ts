import type { Commands } from "./dispatch.ts";
import { homeCommands } from "./home-commands.ts";

/** All that Binder can do. */
export const commands: Commands = {
  ...homeCommands,
  relay: { summary: "set up and run a relay, let homes in", load: async () => (await import("./relay.ts")).relayCommand },
};
