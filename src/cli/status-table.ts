import type { GatewayStatus, HomeStatus, RelayStatus } from "../control/types.ts";

const columns = ["GATEWAY", "STATE", "SINCE", "DELAY", "LOSS", "DOWN", "UP"] as const;

/** A home's status for a person: one line of plain words, a table of the gateways, then what is wrong and what to do. */
export function renderHome(status: HomeStatus): string {
  const rows = status.gateways.map(row);
  const problems = status.gateways.flatMap((gateway) => explain(gateway, status));
  const sections = [
    headline(status),
    table(columns, rows),
    problems.join("\n"),
    status.warnings.map((warning) => `! ${warning}`).join("\n"),
  ];
  return `${sections.filter((section) => section !== "").join("\n\n")}\n`;
}

const NOTHING = "-";
/** A relay that answers does so within this time (seconds). */
const FIRST_TRIES = 30;

/** What was measured while a gateway still worked says nothing about one that is down. */
function row(gateway: GatewayStatus): readonly string[] {
  const { name, state, since, delay_ms: delay, loss } = gateway;
  if (state === "disabled") return [name, state, ...columns.slice(2).map(() => NOTHING)];
  const measured = delay !== null && state !== "down";
  return [
    name,
    state,
    formatDuration(since),
    measured ? `${delay < 10 ? delay.toFixed(1) : Math.round(delay)} ms` : NOTHING,
    measured ? `${(loss * 100).toFixed(loss > 0 && loss < 0.1 ? 1 : 0)} %` : NOTHING,
    carries(gateway) ? formatRate(gateway.down_bps) : NOTHING,
    carries(gateway) ? formatRate(gateway.up_bps) : NOTHING,
  ];
}

const carries = ({ state }: GatewayStatus): boolean => state === "up" || state === "suspect";

function headline(status: HomeStatus): string {
  const enabled = status.gateways.filter(({ state }) => state !== "disabled");
  const working = enabled.filter(carries).length;
  switch (status.transport) {
    case "proxy":
    case "tunnel":
      return `Joined: ${working} of ${several(enabled.length, "gateway")} ${enabled.length === 1 ? "carries" : "carry"} the household's traffic to relay ${status.relay.name}.`;
    case "direct":
      return "No relay answers: every flow goes by one gateway.";
    case "off":
      if (status.relay.state === "none") return "No relay is joined: the household's traffic goes as if Binder were not there.";
      if (enabled.some(({ state, since }) => state === "starting" && since < FIRST_TRIES))
        return `Relay ${status.relay.name} is being reached: wait a moment, and look again.`;
      return `Relay ${status.relay.name} can't be reached by any gateway: the household's traffic goes as if Binder were not there.`;
  }
}

/** What is wrong with a gateway beyond what its state and the headline say. */
function explain(gateway: GatewayStatus, { relay }: HomeStatus): readonly string[] {
  if (gateway.reason === "" || gateway.state === "disabled") return [];
  if (relay.state === "none" && gateway.state === "starting") return [];
  return [`${gateway.name}: ${gateway.reason}${gateway.advice === "" ? "" : `\n  -> ${gateway.advice}`}`];
}

/** A relay's status for a person. */
export function renderRelay(status: RelayStatus): string {
  const rows = status.homes.map((home) => [
    home.name,
    String(home.number),
    home.lanes.length === 0 ? "-" : home.lanes.join(" "),
    home.last_seen === null ? "never" : `${formatDuration(home.last_seen)} ago`,
  ]);
  const head =
    rows.length === 0 ? "No homes yet: binder relay add-home NAME prints an invite." : table(["HOME", "NUMBER", "LANES", "SEEN"], rows);
  const sections = [head, status.warnings.map((warning) => `! ${warning}`).join("\n")];
  return `${sections.filter((section) => section !== "").join("\n\n")}\n`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const render = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  return [head, ...rows].map(render).join("\n");
}

const several = (count: number, thing: string): string => `${count} ${thing}${count === 1 ? "" : "s"}`;

/** Seconds as a person says them: `12 s`, `3 min`, `5 h`, `2 d`. */
export function formatDuration(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} d`;
}

/** Bits per second as a person says them. */
export function formatRate(bps: number): string {
  if (bps < 1_000_000) return `${Math.round(bps / 1_000)} kbit/s`;
  return `${(bps / 1_000_000).toFixed(bps < 10_000_000 ? 1 : 0)} Mbit/s`;
}
