import type { Host } from "../../host/types.ts";
import { highestHome } from "../../plan/homes.ts";
import { addHome } from "../../relay/homes.ts";
import { runCommand } from "../frame.ts";
import { nowOf } from "./admission.ts";
import { issueInvite } from "./issue-invite.ts";

const usage = `usage: binder relay add-home NAME

Lets a home in, and prints its invite: one line on standard output, to be read by binder join at the home.
The line holds the home's private key. It is printed this once; binder relay rekey NAME makes a new one.

NAME  1 to 32 letters, digits, underscores, dots or hyphens
`;

export async function addHomeCommand(host: Host, args: readonly string[]): Promise<number> {
  return await runCommand(host, args, "binder relay add-home", { usage, positionals: { least: 1, most: 1 } }, async (given, signal) => {
    const [name = ""] = given.positionals;
    return await issueInvite(host, (book, random, { prefix }) => addHome(book, name, random, nowOf(host), highestHome(prefix)), signal);
  });
}
