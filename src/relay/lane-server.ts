import { RUN_DIRECTORY } from "../plan/run-directory.ts";
import type { Host } from "../host/types.ts";
import { deviceIndex } from "../kernel/device-index.ts";
import { ManagementClient, type ManagementEvent } from "../openvpn/management.ts";
import { serverConfig } from "../openvpn/server-config.ts";
import { highestHome, blockNetmask } from "../plan/homes.ts";
import { relayAddress } from "../plan/addresses.ts";
import { deviceOfRelayLane, portOfLane } from "../plan/numbers.ts";
import type { ProcessSpecification } from "../process/record.ts";
import { keepFile } from "../process/keep-file.ts";
import { Supervisor } from "../process/supervisor.ts";
import { LANE_MTU } from "./desired.ts";
import { clientEntries, RELAY_DIRECTORY, VPN_USER } from "./paths.ts";
import type { RelayPlan } from "./plan.ts";

/** The management command that lists the sessions. */
const CLIENTS = "status 2";

/** One lane's OpenVPN server at the relay. */
export class LaneServer {
  readonly lane: number;
  readonly #host: Host;
  readonly #supervisor: Supervisor;
  readonly #management: ManagementClient;
  #lastError = "";
  /** What OpenVPN is started with; undefined before {@link configure}. */
  #program: Omit<ProcessSpecification, "revision"> | undefined;
  #text = "";

  /**
   * `isAdmitted` says whether a certificate of this name is still let in: asked for every session that OpenVPN has when this daemon meets
   * it, and by {@link putOffStrangers}. `onStranger` hears of each session that is ended.
   */
  constructor(host: Host, lane: number, isAdmitted: (commonName: string) => boolean, onStranger: (commonName: string) => void) {
    this.#host = host;
    this.lane = lane;
    this.#supervisor = new Supervisor(host, laneProcess(lane));
    const hear = (event: ManagementEvent): void => {
      if (event.kind === "fatal") this.#lastError = event.text;
      if (event.kind !== "client" || isAdmitted(event.commonName)) return;
      void this.#management.send(`client-kill ${event.id}`);
      onStranger(event.commonName);
    };
    this.#management = new ManagementClient(host, managementPath(lane), {
      onEvent: hear,
      onEnd: () => {
        this.#supervisor.look();
      },
      questions: [CLIENTS],
    });
  }

  /** Whether it runs, and was started less than so many ms ago: it has no session of before. */
  startedWithin(ms: number): boolean {
    const { state } = this.#supervisor;
    return state.kind === "running" && !state.adopted && this.#host.clock.monotonic() - state.since < ms;
  }

  /** What is wrong with it; empty if it runs. */
  get complaint(): string {
    if (this.#supervisor.state.kind === "running") return "";
    return `lane ${this.lane}'s OpenVPN does not run${this.#lastError === "" ? "" : `: ${this.#lastError}`}; see ${this.#supervisor.logPath}`;
  }

  async configure(plan: RelayPlan, ciphers: readonly string[]): Promise<void> {
    const text = serverConfig({
      device: deviceOfRelayLane(this.lane),
      port: portOfLane(plan.config.port, this.lane),
      address: relayAddress(plan.config.prefix, this.lane),
      netmask: blockNetmask(plan.config.prefix),
      mtu: LANE_MTU,
      clients: highestHome(plan.config.prefix),
      ciphers,
      keys: RELAY_DIRECTORY,
      clientConfigs: clientEntries(this.lane),
      management: managementPath(this.lane),
      user: VPN_USER,
    });
    const path = `${RUN_DIRECTORY}/relay-lane-${this.lane}.conf`;
    await keepFile(this.#host, path, text, 0o600);
    const program = (await this.#host.processes.find("openvpn")) ?? "openvpn";
    this.#program = { program, args: ["--config", path] };
    this.#text = text;
    await this.followDevice();
  }

  /** Has OpenVPN started anew when its device is not the one that it opened: somebody removed that, and another has been made. */
  async followDevice(): Promise<void> {
    if (this.#program === undefined) return;
    const index = await deviceIndex(this.#host, deviceOfRelayLane(this.lane));
    if (index !== undefined) this.#supervisor.want({ ...this.#program, revision: `${this.#text}# device ${index}\n` });
  }

  /** Supervises until the signal; OpenVPN goes on. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#supervisor.supervise(signal), this.#management.run(signal)]);
  }

  /**
   * Has the sessions ended that are no longer let in. Each is told to begin anew, which it cannot, and is forgotten five seconds later.
   * Not by `kill` and the name, which ends a session at once: OpenVPN (2.6.14) then stops at "Assertion failed at multi.h:657 (mi)" if
   * that session's packet is on its way to the device, and every home's lane with it.
   */
  async putOffStrangers(): Promise<void> {
    await this.#management.send(CLIENTS);
  }
}

export const laneProcess = (lane: number): string => `relay-lane-${lane}`;
const managementPath = (lane: number): string => `${RUN_DIRECTORY}/relay-lane-${lane}.sock`;
