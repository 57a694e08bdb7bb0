/** Bytes that gateways carried this month, both ways. */
export interface Usage {
  /** `2026-11`, UTC. */
  readonly month: string;
  /** By the gateway's name. */
  readonly bytes: ReadonlyMap<string, number>;
}

export const noUsage: Usage = { month: "", bytes: new Map() };

/** Of a packet on the gateway's line beside what the lane's device counts: IPv4, UDP and OpenVPN's headers, bytes. */
const OVERHEAD = 52;

/** What passed the gateway's line, in bytes, when so much passed its lane's device. */
export function onTheLine(bytes: number, packets: number): number {
  return bytes + packets * OVERHEAD;
}

/** The month of a wall clock (ms since 1970): `2026-11`, UTC. */
export function monthOf(wall: number): string {
  return new Date(wall).toISOString().slice(0, 7);
}

/** Usage after so much more. A new month begins from zero; a clock that went back is no new month. */
export function addUsage(usage: Usage, wall: number, more: ReadonlyMap<string, number>): Usage {
  const month = monthOf(wall);
  const begun = month > usage.month ? { month, bytes: new Map<string, number>() } : usage;
  const bytes = new Map(begun.bytes);
  for (const [name, count] of more) if (count > 0) bytes.set(name, (bytes.get(name) ?? 0) + count);
  return { month: begun.month, bytes };
}

/** Of two records of the same daemon or an earlier one, what is certain: the later month, and of each gateway the larger count. */
export function mergeUsage(a: Usage, b: Usage): Usage {
  if (a.month !== b.month) return a.month > b.month ? a : b;
  const names = new Set([...a.bytes.keys(), ...b.bytes.keys()]);
  return { month: a.month, bytes: new Map([...names].map((name) => [name, Math.max(a.bytes.get(name) ?? 0, b.bytes.get(name) ?? 0)])) };
}

/** A line for the month and one for each gateway. */
export function formatUsage({ month, bytes }: Usage): string {
  return `${[month, ...[...bytes].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, count]) => `${String(Math.round(count))} ${name}`)].join("\n")}\n`;
}

/** Reads what {@link formatUsage} wrote; lines that make no sense are passed over, and a text without a month is no usage. */
export function parseUsage(text: string): Usage {
  const [month = "", ...rows] = text.split("\n");
  if (!/^[0-9]{4}-[0-9]{2}$/.test(month)) return noUsage;
  const bytes = new Map<string, number>();
  for (const row of rows) {
    const [, count, name] = /^([0-9]{1,16}) ([A-Za-z0-9_-]+)$/.exec(row) ?? [];
    if (count !== undefined && name !== undefined) bytes.set(name, Number(count));
  }
  return { month, bytes };
}
