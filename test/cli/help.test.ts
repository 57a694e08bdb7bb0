import { createHost } from "#host";
import { commands } from "../../src/cli/commands.ts";
import { dispatch } from "../../src/cli/dispatch.ts";
import type { Host } from "../../src/host/types.ts";
import { test } from "../harness/index.ts";

/** Runs `binder ARGS` in this process. */
async function binder(...args: readonly string[]): Promise<{ readonly status: number; readonly stdout: string; readonly stderr: string }> {
  const host = createHost();
  let [stdout, stderr] = ["", ""];
  const program: Host["program"] = {
    ...host.program,
    stdout: (text) => (stdout += typeof text === "string" ? text : new TextDecoder().decode(text)),
    stderr: (text) => (stderr += text),
    onSignal: () => undefined,
  };
  const status = await dispatch({ ...host, program }, args, commands);
  return { status, stdout, stderr };
}

/** Names in the list of commands that a help text has. */
const listed = (help: string): readonly string[] => [...help.matchAll(/^ {2}([a-z-]+)(?: [A-Z]+)? {2,}\S/gm)].map(([, name]) => name ?? "");

async function allCommands(): Promise<readonly (readonly string[])[]> {
  const top = listed((await binder("--help")).stdout).map((name) => [name]);
  const relay = listed((await binder("relay", "--help")).stdout).map((name) => ["relay", name]);
  return [...top.filter(([name]) => name !== "relay"), ...relay];
}

test("binder --help names every command, and what exit statuses mean", async (t) => {
  const { status, stdout } = await binder("--help");
  t.equal(status, 0);
  const wanted = ["run", "stop", "status", "check", "join", "config", "cleanup", "doctor", "relay", "version"];
  t.strictSame([...listed(stdout)].sort(), wanted.sort());
  t.match(stdout, /0 well, 1 failed, 2 wrong use, 3 wrong configuration, 4 /);
  t.strictSame([...listed((await binder("relay", "--help")).stdout)].sort(), ["add-home", "init", "list", "rekey", "remove-home", "run"]);
});

test("every command has --help, on standard output and with status 0", async (t) => {
  for (const command of await allCommands()) {
    for (const option of ["--help", "-h"]) {
      const { status, stdout, stderr } = await binder(...command, option);
      const name = `binder ${command.join(" ")} ${option}`;
      t.equal(status, 0, name);
      t.equal(stderr, "", name);
      t.ok(stdout.startsWith(`usage: binder ${command.join(" ")}`), `${name} begins with how it is typed`);
      t.ok(stdout.endsWith("\n"), name);
      const tooLong = stdout.split("\n").filter((line) => line.length > 140);
      t.strictSame(tooLong, [], `${name} fits a terminal`);
    }
  }
});

test("options and arguments that there are not are refused with status 2, and nothing is done", async (t) => {
  for (const command of await allCommands()) {
    for (const wrong of [["--bogus"], ["--bogus=1"], ["-z"], ["--no-bogus"], ["a", "b", "c", "d"]]) {
      const { status, stdout, stderr } = await binder(...command, ...wrong);
      const name = `binder ${[...command, ...wrong].join(" ")}`;
      t.equal(status, 2, name);
      t.equal(stdout, "", name);
      t.match(stderr, /^binder [a-z].*: .*--help/, `${name} says where to read on`);
    }
  }
  for (const wrong of [["bogus"], ["--bogus"], ["relay", "bogus"], ["relay", "--bogus"], ["toString"]]) {
    const { status, stdout, stderr } = await binder(...wrong);
    t.strictSame({ status, stdout }, { status: 2, stdout: "" }, wrong.join(" "));
    t.match(stderr, /--help/);
  }
  for (const nothing of [[], ["relay"]]) {
    const { status, stdout, stderr } = await binder(...nothing);
    t.strictSame({ status, stdout }, { status: 2, stdout: "" });
    t.match(stderr, /^usage: /);
  }
});
