import type { Host } from "../../host/types.ts";
import { rekeyHome } from "../../relay/homes.ts";
import { runCommand } from "../frame.ts";
import { issueInvite } from "./issue-invite.ts";

const usage = `usage: binder relay rekey NAME

Makes a home's keys anew, after its invite came into the wrong hands for instance, and prints the new invite: one line on standard
output, to be read by binder join at the home. The old invite stops working at once. The home keeps its number.
`;

export async function rekeyCommand(host: Host, args: readonly string[]): Promise<number> {
  return await runCommand(host, args, "binder relay rekey", { usage, positionals: { least: 1, most: 1 } }, async (given, signal) => {
    const [name = ""] = given.positionals;
    return await issueInvite(host, (book, random) => rekeyHome(book, name, random), signal);
  });
}
