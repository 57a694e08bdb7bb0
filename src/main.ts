import { createHost } from "#host";
import { commands } from "./cli/commands.ts";
import { start } from "./cli/dispatch.ts";

start(createHost(), commands);
