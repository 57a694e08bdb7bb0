/** Run by engine.test.ts on both engines: what each host says of itself must be the same text. */
import { createHost } from "#host";

const host = createHost();
const { files, program } = host;

const stay = new AbortController().signal;

async function outcome(what: string, action: () => Promise<unknown>): Promise<void> {
  try {
    program.stdout(`${what}: ${JSON.stringify(await action())}\n`);
  } catch (error) {
    // The words are the engine's own affair; the code is the seam's.
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    program.stdout(`${what}: failed ${code}\n`);
  }
}

async function main(): Promise<void> {
  const [directory = ""] = program.args;
  const bytes = new TextEncoder().encode("häuser 🏠\n");
  await outcome("arguments", async () => program.args.slice(1));
  await outcome("read nothing", async () => files.read(`${directory}/nothing`));
  await outcome("read a directory", async () => files.read(directory));
  await outcome("read", async () => [...(await files.read(`${directory}/bytes`))].join());
  await outcome("read /proc", async () => new TextDecoder().decode(await files.read("/proc/sys/kernel/ostype")));
  await outcome("read large", async () => (await files.read(`${directory}/large`)).length);
  await outcome("read what /proc gives no size of", async () => (await files.read("/proc/kallsyms")).length);
  await outcome("list", async () => files.list(directory));
  await outcome("list nothing", async () => files.list(`${directory}/nothing`));
  await outcome("status of a file", async () => files.status(`${directory}/bytes`));
  await outcome("status of a directory", async () => (await files.status(directory))?.kind);
  await outcome("status of nothing", async () => (await files.status(`${directory}/nothing`)) ?? "none");
  await outcome("status below a file", async () => (await files.status(`${directory}/bytes/below`)) ?? "none");
  await outcome("replace", async () => files.replace(`${directory}/replaced`, bytes.subarray(1), 0o600));
  await outcome("replaced", async () => [...(await files.read(`${directory}/replaced`))].join());
  await outcome("replaced mode", async () => (await files.status(`${directory}/replaced`))?.mode);
  await outcome("replace nowhere", async () => files.replace(`${directory}/no/where`, bytes, 0o600));
  await outcome("list after", async () => files.list(directory));
  await outcome("standard input", async () => new TextDecoder().decode(await program.readStdin(100)));
  await outcome("clock", async () => {
    const before = host.clock.monotonic();
    await host.clock.sleep(20, stay);
    return host.clock.monotonic() - before >= 19;
  });
  await outcome("sleep aborted", async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error("enough")), 5);
    await host.clock.sleep(60_000, controller.signal);
  });
  await outcome("random", async () => host.random(32).length);
  program.stdout(bytes);
  program.stdout("häuser 🏠\n");
  program.stderr("to standard error\n");
  program.exit(7);
}

void main();
