import { execFileSync, spawn } from "node:child_process";

const MARK = "BINDER_TEST_NAMESPACE";

/**
 * Runs the calling test file in network, mount and process namespaces of its own, with /proc and /sys of theirs and an empty /run: the
 * file is started anew there, and this process only hands on how it ended. Call it before the first test; needs root.
 */
export async function enterNamespace(): Promise<void> {
  if (process.env[MARK] !== undefined) {
    for (const [kind, where] of [
      ["proc", "/proc"],
      ["sysfs", "/sys"],
      ["tmpfs", "/run"],
    ] as const) {
      execFileSync("mount", ["-t", kind, kind, where]);
    }
    ip("link", "set", "dev", "lo", "up");
    return;
  }
  const namespaces = ["--net", "--mount", "--pid", "--fork", "--kill-child"];
  const child = spawn("unshare", [...namespaces, process.execPath, ...process.argv.slice(1)], {
    stdio: "inherit",
    env: { ...process.env, [MARK]: "1" },
  });
  const forward = (): void => void child.kill("SIGKILL");
  process.once("SIGTERM", forward);
  process.once("SIGINT", forward);
  const status = await new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => {
      resolve(code ?? 1);
    });
  });
  process.exit(status);
}

/** Runs a program to its end, as somebody at a terminal would. Answers what it printed; throws if it failed. */
export function run(program: string, args: readonly string[], input = ""): string {
  return execFileSync(program, args, { encoding: "utf8", input, stdio: ["pipe", "pipe", "pipe"] });
}

export function ip(...args: string[]): string {
  return run("ip", args);
}
