/** What the seam's suites share. They run on every engine, so all that they do goes through the host itself. */
import { createHost } from "#host";
import type { Test } from "../harness/index.ts";

export const host = createHost();
const { files, clock, processes } = host;

export const stay = new AbortController().signal;
export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const text = (data: Uint8Array): string => new TextDecoder().decode(data);

/** A directory that goes away with the test. */
export async function directory(t: Test): Promise<string> {
  const path = `/tmp/binder-seam-${[...host.random(8)].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
  await files.makeDirectory(path, 0o755);
  t.teardown(async () => {
    await files.remove(path);
  });
  return path;
}

/** Waits until `check` answers something other than undefined. Rejects after `limit` milliseconds with `what`. */
export async function until<T>(what: string, check: () => T | undefined | Promise<T | undefined>, limit = 20_000): Promise<T> {
  const deadline = clock.monotonic() + limit;
  for (;;) {
    const found = await check();
    if (found !== undefined) return found;
    if (clock.monotonic() > deadline) throw new Error(`${what}: not within ${String(limit)} ms`);
    await clock.sleep(20, stay);
  }
}

/** Runs a shell script. Answers its output; throws unless it ends well. */
export async function shell(script: string): Promise<string> {
  const { status, stdout, stderr } = await processes.run("sh", ["-c", script], stay);
  if (status !== 0) throw new Error(`${script}: ${String(status)}: ${text(stderr)}`);
  return text(stdout);
}

/** State, parent, group and session of a process (proc_pid_stat(5)); undefined if there is none. */
export async function statOf(pid: number): Promise<readonly string[] | undefined> {
  try {
    const stat = text(await files.read(`/proc/${String(pid)}/stat`));
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined;
  }
}

/** Children of this process that ended and were not waited for. */
async function zombies(): Promise<readonly string[]> {
  const found: string[] = [];
  for (const name of await files.list("/proc")) {
    if (!/^[0-9]+$/.test(name)) continue;
    const [state, parent] = (await statOf(Number(name))) ?? [];
    if (state === "Z" && parent === String(processes.pid)) found.push(name);
  }
  return found;
}

/** Does `work` a few times and looks for descriptors and children that it left. */
export async function leavesNothing(t: Test, work: () => Promise<void>): Promise<void> {
  const descriptors = async (): Promise<string> => (await files.list("/proc/self/fd")).join(" ");
  // An engine opens some of its own at first use.
  await work();
  await work();
  const before = await descriptors();
  for (let turn = 0; turn < 5; turn += 1) await work();
  const after = await until("descriptors are as before", async () => ((await descriptors()) === before ? before : undefined), 5_000).catch(
    descriptors,
  );
  t.equal(after, before, "descriptors");
  t.same(await zombies(), [], "children that nobody waited for");
}

/** All that a stream says. */
export async function all(input: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of input) chunks.push(chunk);
  return join(chunks);
}

export function join(chunks: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}

/** Bytes that are alike nowhere, so that one that is missing shows. */
export function pattern(size: number): Uint8Array {
  const made = new Uint8Array(size);
  for (let i = 0; i < size; i += 1) made[i] = (i * 31 + (i >> 8) * 7 + (i >> 16)) & 0xff;
  return made;
}

export function areSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, i) => byte === other[i]);
}
