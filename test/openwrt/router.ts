import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { copyFile, cp, mkdir, writeFile } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import type { Test } from "../harness/index.ts";
import { projectRoot } from "../testbed/index.ts";
import { Procd } from "./procd.ts";
import { type Answer, Uci } from "./uci.ts";

const BUSYBOX = "/usr/bin/busybox";
const APPLETS = "[ basename cat dirname echo false grep kill ln ls mkdir readlink rm sed sh sleep test touch true".split(" ");
/** Programs that the test answers for. Binder's own is whatever a package installs: standIn, in these tests. */
const STAND_INS = ["sbin/uci", "sbin/procd", "usr/bin/logger", "usr/sbin/fw4", "etc/init.d/firewall", "etc/init.d/dnsmasq"];
const LIMIT = 30_000;

export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

let compiling: Promise<string> | undefined;

/** The program of standin.c, compiled. */
export async function standIn(): Promise<string> {
  const target = join(projectRoot, `build/test/standin-${String(process.pid)}`);
  compiling ??= (async () => {
    await mkdir(dirname(target), { recursive: true });
    const source = join(projectRoot, "test/openwrt/standin.c");
    await promisify(execFile)("cc", ["-O2", "-static", "-Wall", "-Wextra", "-Werror", "-o", target, source]);
    process.once("exit", () => {
      rmSync(target, { force: true });
    });
    return target;
  })();
  return await compiling;
}

/**
 * An OpenWrt router, as far as its scripts see it: a root of its own with BusyBox's shell and tools (BusyBox is what OpenWrt has), stand-ins for
 * rc.common, functions.sh, uci and procd, and /var in /tmp, without /run. Programs' calls are recorded.
 */
export class Router {
  readonly root: string;
  readonly procd: Procd;
  /** What was run of Binder's program, of init scripts and of logger: `binder check`, `firewall reload`. */
  readonly calls: string[] = [];
  /** What `binder check` answers. */
  check: Answer = { status: 0, text: "well\n" };
  /** Services that are switched off. */
  readonly disabled = new Set<string>();
  /** Called for each call before it is answered. */
  onCall: (call: string) => void = () => undefined;
  readonly #server: Server;
  readonly #uci: Uci;

  private constructor(root: string) {
    this.root = root;
    this.procd = new Procd((path) =>
      createHash("md5")
        .update(readFileSync(this.path(path)))
        .digest("hex"),
    );
    this.#uci = new Uci({
      read: (name) => (existsSync(this.path(`/etc/config/${name}`)) ? readFileSync(this.path(`/etc/config/${name}`)) : undefined),
      write: (name, bytes) => {
        writeFileSync(this.path(`/etc/config/${name}`), bytes);
      },
    });
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      this.#serve(socket);
    });
  }

  /** Makes one that is gone when the test ends, with these files in /etc/config. Needs root. */
  static async boot(t: Test, configuration: Readonly<Record<string, string>>): Promise<Router> {
    const root = mkdtempSync(join(tmpdir(), "binder-router-"));
    const router = new Router(root);
    t.teardown(() => {
      router.#server.close();
      rmSync(root, { recursive: true, force: true });
    });
    for (const folder of ["bin", "sbin", "usr/bin", "usr/sbin", "etc/init.d", "etc/rc.d", "etc/config", "tmp/run", "dev", "proc"]) {
      mkdirSync(join(root, folder), { recursive: true });
    }
    symlinkSync("tmp", join(root, "var"));
    await copyFile(BUSYBOX, join(root, "bin/busybox"));
    for (const applet of APPLETS) symlinkSync("busybox", join(root, "bin", applet));
    writeFileSync(join(root, "dev/null"), "");
    await cp(join(projectRoot, "test/openwrt/root"), root, { recursive: true });
    const program = await standIn();
    for (const path of STAND_INS) await copyFile(program, join(root, path));
    await promisify(execFile)("chmod", ["755", join(root, "etc/rc.common")]);
    for (const [name, text] of Object.entries(configuration)) await writeFile(join(root, "etc/config", name), text);
    await new Promise<void>((done) => router.#server.listen(join(root, "standin.sock"), done));
    return router;
  }

  path(inside: string): string {
    return join(this.root, inside);
  }

  has(inside: string): boolean {
    return existsSync(this.path(inside));
  }

  read(inside: string): string {
    return readFileSync(this.path(inside), "utf8");
  }

  write(inside: string, text: string): void {
    mkdirSync(dirname(this.path(inside)), { recursive: true });
    writeFileSync(this.path(inside), text);
  }

  /** Runs a command line of the router's shell there. Limit: 30 seconds. */
  async run(line: string, environment: Readonly<Record<string, string>> = {}): Promise<Ran> {
    const child = spawn("chroot", [this.root, "/bin/sh", "-c", line], {
      env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", ...environment },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: LIMIT,
      killSignal: "SIGKILL",
    });
    const output = { stdout: "", stderr: "" };
    child.stdout.on("data", (chunk: Buffer) => (output.stdout += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (output.stderr += chunk.toString()));
    const status = await new Promise<number>((done, failed) => {
      child.on("error", failed);
      child.on("close", (code) => {
        done(code ?? 128);
      });
    });
    return { status, ...output };
  }

  /** Calls and the daemon's events since the last time that this was asked. */
  news(): { readonly calls: readonly string[]; readonly daemon: readonly string[] } {
    return { calls: this.calls.splice(0), daemon: this.procd.events.splice(0) };
  }

  #serve(socket: Socket): void {
    let request = "";
    socket.on("data", (chunk: Buffer) => (request += chunk.toString("latin1")));
    socket.on("error", () => undefined);
    socket.on("end", () => {
      const [program = "", , ...args] = request.split("\0").slice(0, -1);
      const { status, text } = this.#answer(program.split("/").at(-1) ?? "", args);
      socket.end(Buffer.concat([Buffer.from([status]), Buffer.from(text, "latin1")]));
    });
  }

  #answer(program: string, args: readonly string[]): Answer {
    if (program === "uci") return this.#uci.run(args);
    if (program === "procd") return this.procd.run(args);
    if (args[0] === "enabled") return { status: this.disabled.has(program) ? 1 : 0, text: "" };
    const call = [program, ...args].join(" ");
    this.calls.push(call);
    this.onCall(call);
    return call === "binder check" ? this.check : { status: 0, text: "" };
  }
}
