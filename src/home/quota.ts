/** What a gateway's donor allows and what is left of it. Bytes a month. */
export type QuotaState = "free" | "near" | "spent";

/** From this share on somebody is told. */
const NEAR = 0.9;

/** How a gateway stands with its quota; without one it is free. */
export function quotaState(used: number, quota: number | undefined): QuotaState {
  if (quota === undefined) return "free";
  if (used >= quota) return "spent";
  return used >= quota * NEAR ? "near" : "free";
}

/** The warning for a person; undefined if there is none to give. */
export function quotaWarning(name: string, used: number, quota: number | undefined): string | undefined {
  const gigabytes = (bytes: number): string => (bytes / 1e9).toFixed(bytes < 1e10 ? 1 : 0);
  switch (quotaState(used, quota)) {
    case "free":
      return undefined;
    case "near":
      return `gateway '${name}' has carried ${gigabytes(used)} of its ${gigabytes(quota ?? 0)} GB this month: at the limit it stands by`;
    case "spent":
      return `gateway '${name}' has carried its ${gigabytes(quota ?? 0)} GB of this month: it stands by until the next, or until no other is well`;
  }
}
