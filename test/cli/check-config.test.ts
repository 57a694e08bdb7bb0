import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHost } from "#host";
import { commands } from "../../src/cli/commands.ts";
import { dispatch } from "../../src/cli/dispatch.ts";
import type { Host } from "../../src/host/types.ts";
import { bytesToText } from "../../src/uci-parser/index.ts";
import { type Test, test } from "../harness/index.ts";
import { projectRoot } from "../testbed/index.ts";
import { cases } from "../uci-parser/recorded.ts";

interface Outcome {
  readonly status: number;
  /** Bytes in a string. */
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `binder ARGS` in this process, on the real files. */
async function binder(...args: readonly string[]): Promise<Outcome> {
  const host = createHost();
  let stdout = "";
  let stderr = "";
  const program: Host["program"] = {
    ...host.program,
    stdout: (text) => {
      stdout += bytesToText(typeof text === "string" ? new TextEncoder().encode(text) : text);
    },
    stderr: (text) => {
      stderr += text;
    },
    onSignal: () => undefined,
  };
  const status = await dispatch({ ...host, program }, args, commands);
  return { status, stdout, stderr };
}

async function folder(t: Test): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), "binder-test-"));
  t.teardown(async () => {
    await rm(made, { recursive: true });
  });
  return made;
}

test("binder config prints what uci prints, byte for byte, or fails as it does", async (t) => {
  const file = join(await folder(t), "t");
  for (const { name, input, status, exported, shown, shownGenerated, error } of cases) {
    await writeFile(file, input);
    const stderr = error === "" ? "" : `${error}\n`;
    t.strictSame(await binder("config", "export", file), { status, stdout: exported, stderr }, `export ${name}`);
    t.strictSame(await binder("config", "show", file), { status, stdout: shown, stderr }, `show ${name}`);
    t.strictSame(await binder("config", "show", "-X", file), { status, stdout: shownGenerated, stderr }, `show -X ${name}`);
  }
});

test("the program itself prints bytes that are no UTF-8, and all of a long text", async (t) => {
  const directory = await folder(t);
  const program = join(directory, "binder");
  await run(process.execPath, [join(projectRoot, "scripts/build.mjs"), "node", "src/main.ts", program]);
  const value = "caf\xe9 ".repeat(100_000);
  const file = join(directory, "net-work");
  await writeFile(file, `config s\n\toption x '${value}'\n`, "latin1");
  const { status, stdout } = await run(process.execPath, [program, "config", "export", file]);
  t.equal(status, 0);
  t.ok(stdout === `package net-work\n\nconfig s\n\toption x '${value}'\n\n`, "the same bytes");
});

async function run(program: string, args: readonly string[]): Promise<Outcome> {
  return await new Promise((resolve) => {
    execFile(program, [...args], { encoding: "latin1", maxBuffer: 2 ** 24, timeout: 60_000 }, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : typeof error.code === "number" ? error.code : 128, stdout, stderr });
    });
  });
}

test("binder config on what is no UCI file", async (t) => {
  const directory = await folder(t);
  await writeFile(join(directory, "two words"), "");
  await mkdir(join(directory, "folder"));
  for (const command of ["export", "show"]) {
    t.strictSame(await binder("config", command, join(directory, "nothing")), { status: 1, stdout: "", stderr: "uci: Entry not found\n" });
    t.strictSame(await binder("config", command, join(directory, "folder")), { status: 1, stdout: "", stderr: "uci: Entry not found\n" });
    t.strictSame(await binder("config", command, join(directory, "two words")), { status: 1, stdout: "", stderr: "uci: Parse error\n" });
  }
});

test("wrong usage of config and check ends with status 2, and --help helps", async (t) => {
  for (const args of [
    "config",
    "config export",
    "config export a b",
    "config exprt a",
    "config export -X a",
    "config show -Y a",
    "check a b",
    "check --yaml",
  ]) {
    const { status, stdout, stderr } = await binder(...args.split(" "));
    t.equal(status, 2, args);
    t.equal(stdout, "");
    t.match(stderr, /^binder (config|check): .+\n$/);
  }
  for (const command of ["config", "check"]) {
    const { status, stdout, stderr } = await binder(command, "--help");
    t.strictSame([status, stderr], [0, ""]);
    t.match(stdout, new RegExp(`^usage: binder ${command} `));
  }
});

test("what is installed passes the check, comments and all", async (t) => {
  const home = join(projectRoot, "files/etc/config/binder");
  t.strictSame(await binder("check", home), { status: 0, stdout: `${home}: well: 0 gateways, 0 relays, 0 lans, 0 bypasses\n`, stderr: "" });
  const relay = join(projectRoot, "files/etc/config/binder-relay");
  t.strictSame(await binder("check", relay), { status: 0, stdout: `${relay}: well: relay relay, 0 addresses, lanes 1 to 8\n`, stderr: "" });
});

test("the examples in what is installed pass the check too", async (t) => {
  const directory = await folder(t);
  for (const name of ["binder", "binder-relay"]) {
    const bytes = await createHost().files.read(join(projectRoot, "files/etc/config", name));
    const uncommented = bytesToText(bytes).replace(
      /^(\s*)#(config .*|\t*(option|list) .*|\t#.*)$/gm,
      (_, indent: string, line: string) => `${indent}${line}`,
    );
    const file = join(directory, name);
    await writeFile(file, uncommented.replace(/^\t#option (quota|mtu|src|mac) /gm, "\toption $1 "), "latin1");
    const { status, stdout, stderr } = await binder("check", file);
    t.strictSame([status, stderr], [0, ""]);
    const counts = name === "binder" ? "3 gateways, 1 relay, 1 lan, 1 bypass" : "relay relay, 1 address, lanes 1 to 8";
    t.equal(stdout, `${file}: well: ${counts}\n`);
  }
});

test("binder check prints every error and ends with status 3", async (t) => {
  const file = join(await folder(t), "binder");
  await writeFile(file, "config gateway a\n\toption via 1.2.3\nconfig binder main\n\toption ipv6 carry\n");
  const { status, stdout, stderr } = await binder("check", file);
  t.strictSame([status, stdout], [3, ""]);
  t.equal(
    stderr,
    `${file}:1: gateway 'a': device must be there beside via.\n` +
      `${file}:2: gateway 'a': via '1.2.3' must be the IPv4 address of a host, such as 192.168.1.1.\n` +
      `${file}:4: binder 'main': ipv6 'carry' is not built yet: use leave or off.\n`,
  );
});

test("binder check --json", async (t) => {
  const directory = await folder(t);
  const file = join(directory, "other");
  await writeFile(file, "config relay main\n\toption lanes 16\n");
  const error = { file, line: 2, section: "relay 'main'", option: "lanes", rule: "must be a whole number from 1 to 15", value: "16" };
  const wrong = await binder("check", "--json", "--relay", file);
  t.strictSame([wrong.status, wrong.stderr], [3, ""]);
  t.strictSame(JSON.parse(wrong.stdout), { ok: false, errors: [error] });

  await writeFile(file, "config gateway g\n\toption network wan\n");
  const well = await binder("check", file, "--json");
  t.strictSame([well.status, well.stderr], [0, ""], "a network passes where there is no ubus");
  t.strictSame(JSON.parse(well.stdout), { ok: true, errors: [] });

  const none = join(directory, "none");
  t.strictSame(await binder("check", none), { status: 1, stdout: "", stderr: `${none}:1: can't be read: there is no such file.\n` });
  const json = await binder("check", "--json", none);
  t.equal(json.status, 1);
  t.match(JSON.parse(json.stdout), { ok: false, errors: [{ file: none, line: 1 }] });
});
