/** The program for routers: a relay is a server, and what it needs stays out of a small flash. */
import { createHost } from "#host";
import { start } from "./cli/dispatch.ts";
import { homeCommands } from "./cli/home-commands.ts";

start(createHost(), homeCommands);
