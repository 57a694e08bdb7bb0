import type { Host } from "../host/types.ts";

/** A system user with a group of its own name. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** The account, as /etc/passwd and /etc/group have it; undefined unless both know the name. */
export async function findAccount(host: Host, name: string): Promise<Account | undefined> {
  const uid = await idOf(host, "/etc/passwd", name);
  const gid = await idOf(host, "/etc/group", name);
  return uid === undefined || gid === undefined ? undefined : { uid, gid };
}

/** Both files have `NAME:PASSWORD:ID:…` (passwd(5), group(5)). */
export async function idOf(host: Host, file: "/etc/passwd" | "/etc/group", name: string): Promise<number | undefined> {
  for (const line of await accountLines(host, file)) {
    const [who, , id = ""] = line.split(":");
    if (who === name && /^[0-9]+$/.test(id)) return Number(id);
  }
  return undefined;
}

export async function accountLines(host: Host, file: string): Promise<readonly string[]> {
  const text = new TextDecoder().decode(await host.files.read(file));
  return text.split("\n").filter((line) => line !== "");
}
