import { execFile, execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { projectRoot } from "../testbed/index.ts";

export const TIME = 1_700_000_000;

/** Whether apk-tools 3 are here: only they write apk's format. */
export function hasApk(): boolean {
  try {
    return /^apk-tools 3\./.test(
      execFileSync(process.env["APK"] ?? "apk", ["--version"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }),
    );
  } catch {
    return false;
  }
}

/** The bytes that scripts/package.mjs makes of an executable with these bytes; undefined if it says that it can't. */
export async function pack(
  format: "ipk" | "apk",
  executable: Buffer,
  environment: Readonly<Record<string, string>> = {},
): Promise<Buffer | undefined> {
  const folder = mkdtempSync(join(tmpdir(), "binder-package-"));
  try {
    const program = join(folder, "program");
    const out = join(folder, "out");
    writeFileSync(program, executable);
    const args = [join(projectRoot, "scripts/package.mjs"), format, "--executable", program, "--architecture", "mips_24kc", "--out", out];
    await promisify(execFile)(process.execPath, args, { env: { ...process.env, SOURCE_DATE_EPOCH: String(TIME), ...environment } });
    const [file] = existsSync(out) ? readdirSync(out) : [];
    return file === undefined ? undefined : readFileSync(join(out, file));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** As {@link pack}, of what can always be made. */
export async function packIpk(executable: Buffer, environment: Readonly<Record<string, string>> = {}): Promise<Buffer> {
  const bytes = await pack("ipk", executable, environment);
  if (bytes === undefined) throw new Error("there is no package");
  return bytes;
}
