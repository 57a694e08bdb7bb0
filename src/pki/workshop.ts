import { RUN_DIRECTORY } from "../plan/run-directory.ts";
import type { Host } from "../host/types.ts";
import { hexOf } from "../plan/hex.ts";

/**
 * Hands `work` a directory that only its maker can enter, for what openssl and openvpn must have in files, and removes it with all in
 * it however the work ends. It lies in memory (/var/run), so that a home's private key never reaches the relay's disk.
 */
export async function inWorkshop<T>(host: Host, work: (directory: string) => Promise<T>): Promise<T> {
  const directory = `${RUN_DIRECTORY}/keys-${host.processes.pid}-${hexOf(host.random(8))}`;
  await host.files.makeDirectory(RUN_DIRECTORY, 0o755);
  await removeAbandoned(host);
  await host.files.makeDirectory(directory, 0o700);
  try {
    return await work(directory);
  } finally {
    await host.files.remove(directory);
  }
}

/** What a Binder that was killed could not remove. */
async function removeAbandoned(host: Host): Promise<void> {
  for (const name of await host.files.list(RUN_DIRECTORY)) {
    const [, maker] = /^keys-([0-9]+)-[0-9a-f]+$/.exec(name) ?? [];
    if (maker !== undefined && (await host.files.status(`/proc/${maker}`)) === undefined)
      await host.files.remove(`${RUN_DIRECTORY}/${name}`);
  }
}
