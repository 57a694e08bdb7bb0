import type { Host } from "../host/types.ts";

export interface ProxyUser {
  readonly user: string;
  readonly group: string;
}

/** Whom HAProxy runs as: `binder-proxy` where the package made it, otherwise a user that owns nothing. */
export async function proxyUser(host: Host): Promise<ProxyUser> {
  const text = new TextDecoder().decode(await host.files.read("/etc/group"));
  const groups = new Set(text.split("\n").map((entry) => entry.split(":")[0] ?? ""));
  if (groups.has("binder-proxy")) return { user: "binder-proxy", group: "binder-proxy" };
  return { user: "nobody", group: groups.has("nogroup") ? "nogroup" : "nobody" };
}
