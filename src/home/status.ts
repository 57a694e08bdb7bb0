import type { GatewayStatus, HomeStatus } from "../control/types.ts";
import { version } from "../plan/version.ts";
import { LOG_DIRECTORY } from "../process/start.ts";
import type { ProcessState } from "../process/supervisor.ts";
import { carries } from "./health.ts";
import type { Lane } from "./lane.ts";
import type { LoadedHome } from "./plan-home.ts";

export interface StatusFacts {
  readonly loaded: LoadedHome;
  readonly lanes: readonly Lane[];
  /** Bits per second by lane number. */
  readonly rates: ReadonlyMap<number, { readonly down: number; readonly up: number }>;
  /** Monotonic ms. */
  readonly now: number;
  readonly proxy: ProcessState;
  /** HAProxy knows its lanes, and the LAN is captured. */
  readonly captures: boolean;
  /** Gateways that flows leave by directly; empty while a relay answers. */
  readonly direct: readonly number[];
  readonly warnings: readonly string[];
}

/** What `binder status` shows. */
export function homeStatus(facts: StatusFacts): HomeStatus {
  const { loaded, lanes } = facts;
  const { membership, config } = loaded.plan;
  const live = lanes.some((lane) => carries(lane.health.state));
  const used = lanes.map((lane) => laneStatus(lane, facts));
  const unusable = loaded.unusable.map(({ name, number, reason }) => idle(name, number, "down", reason));
  const disabled = config.gateways
    .filter((gateway) => !gateway.enabled)
    .map(({ name }) => idle(name, 0, "disabled", "disabled in the configuration"));
  const unlaned =
    membership === undefined
      ? loaded.plan.gateways.map(({ number, section }) => idle(section.name, number, "starting", "no relay is joined"))
      : [];
  return {
    role: "home",
    version,
    transport: live ? (facts.captures ? "proxy" : "off") : facts.direct.length > 0 ? "direct" : "off",
    relay: { name: membership?.relay ?? "", state: membership === undefined ? "none" : live ? "up" : "down" },
    gateways: [...used, ...unlaned, ...unusable, ...disabled],
    warnings: [...facts.warnings, ...proxyWarnings(facts), ...twiceWarnings(lanes)],
  };
}

function laneStatus(lane: Lane, facts: StatusFacts): GatewayStatus {
  const { health, probe, gateway } = lane;
  const rates = facts.rates.get(gateway.number);
  const delay = probe.roundTrip?.smoothed;
  return {
    name: gateway.section.name,
    number: gateway.number,
    state: health.state,
    since: Math.round((facts.now - health.since) / 1000),
    reason: [health.reason, carries(health.state) || lane.lastError === health.reason ? "" : lane.lastError]
      .filter((text) => text !== "")
      .join("; "),
    delay_ms: delay === undefined ? null : Math.round(delay * 10) / 10,
    loss: Math.round(probe.losses.share * 1000) / 1000,
    down_bps: rates?.down ?? 0,
    up_bps: rates?.up ?? 0,
    advice: lane.advice,
  };
}

function idle(name: string, number: number, state: GatewayStatus["state"], reason: string): GatewayStatus {
  return { name, number, state, since: 0, reason, delay_ms: null, loss: 0, down_bps: 0, up_bps: 0, advice: "" };
}

function proxyWarnings({ proxy, loaded }: StatusFacts): readonly string[] {
  if (loaded.plan.membership === undefined || proxy.kind === "running" || proxy.kind === "idle") return [];
  return [`HAProxy does not stay up: see ${LOG_DIRECTORY}/proxy.log, and run binder doctor`];
}

function twiceWarnings(lanes: readonly Lane[]): readonly string[] {
  if (!lanes.some((lane) => lane.probe.twice)) return [];
  return ["another router uses the same invite: ask the relay's operator for one of your own (binder relay add-home)"];
}
