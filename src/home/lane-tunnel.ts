import { RUN_DIRECTORY } from "../plan/run-directory.ts";
import type { Host } from "../host/types.ts";
import { keysChecksum, relayFolder } from "../invite/folder.ts";
import { deviceIndex } from "../kernel/device-index.ts";
import { explainDetail } from "../openvpn/advice.ts";
import { clientConfig } from "../openvpn/client-config.ts";
import { LastError } from "../openvpn/last-error.ts";
import { ManagementClient, type ManagementEvent } from "../openvpn/management.ts";
import { deviceOfLane, portOfLane } from "../plan/numbers.ts";
import type { ProcessSpecification } from "../process/record.ts";
import { keepFile } from "../process/keep-file.ts";
import { Supervisor } from "../process/supervisor.ts";
import { DEFAULT_MTU } from "./mtu.ts";
import { aliasOfGateway, type HomePlan, type Membership } from "./plan.ts";

export interface LaneTunnelOptions {
  /** The lane's number. */
  readonly number: number;
  /** Whether the lane carries traffic: what OpenVPN complains of meanwhile is no error of it. */
  readonly carries: () => boolean;
  /** Called when OpenVPN has connected. */
  readonly onConnected: () => void;
}

/** One lane's OpenVPN at home: started, listened to, and started anew when that is needed. */
export class LaneTunnel {
  readonly #host: Host;
  readonly #options: LaneTunnelOptions;
  readonly #supervisor: Supervisor;
  readonly #management: ManagementClient;
  readonly #lastError = new LastError();
  #state = "";
  /** What OpenVPN is started with; undefined before the first {@link configure}. */
  #program: Omit<ProcessSpecification, "revision"> | undefined;
  #text = "";

  constructor(host: Host, options: LaneTunnelOptions) {
    this.#host = host;
    this.#options = options;
    this.#supervisor = new Supervisor(host, this.processName);
    this.#management = new ManagementClient(host, managementPath(options.number), {
      onEvent: (event) => {
        this.#hear(event);
      },
      onEnd: () => {
        this.#state = "";
        this.#supervisor.look();
      },
    });
  }

  /** What it runs under in process/. */
  get processName(): string {
    return `lane-${this.#options.number}`;
  }

  /** Whether OpenVPN believes to be connected. */
  get connected(): boolean {
    return this.#state === "CONNECTED";
  }

  /** What is wrong with it, for a person; empty if nothing is known. */
  get lastError(): string {
    if (this.#lastError.text !== "") return this.#lastError.text;
    // An OpenVPN that ends at its start never gets to talk: what it wrote last is in its log.
    return this.#supervisor.lastWords.filter((line) => line !== "" && !/^Exiting due to fatal error/.test(line)).at(-1) ?? "";
  }

  forgetError(): void {
    this.#lastError.clear();
  }

  /** Keeps OpenVPN running, and listens to it, until the signal fires; OpenVPN goes on then. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#supervisor.supervise(signal), this.#management.run(signal)]);
  }

  /** Makes OpenVPN connect again. */
  async reconnect(): Promise<void> {
    await this.#management.send("signal SIGUSR1");
  }

  /** Says what OpenVPN is to be started with; it is started anew if that, or a key, is not what it was. */
  async configure(plan: HomePlan, membership: Membership, ciphers: readonly string[]): Promise<void> {
    const { number } = this.#options;
    const text = clientConfig({
      device: deviceOfLane(number),
      alias: aliasOfGateway(plan, number),
      addresses: membership.addresses,
      port: portOfLane(membership.port, number),
      mtu: DEFAULT_MTU,
      ciphers,
      keys: relayFolder(membership.relay).directory,
      management: managementPath(number),
    });
    const path = `${RUN_DIRECTORY}/lane-${number}.conf`;
    await keepFile(this.#host, path, text, 0o600);
    const program = (await this.#host.processes.find("openvpn")) ?? "openvpn";
    this.#program = { program, args: ["--config", path] };
    this.#text = `${text}# keys ${await keysChecksum(this.#host, membership.relay)}\n`;
    await this.followDevice();
  }

  /**
   * Has OpenVPN started anew when its device is not the one that it opened: somebody removed that, and Binder made another of the same
   * name. OpenVPN itself goes on reading from what is gone.
   */
  async followDevice(): Promise<void> {
    if (this.#program === undefined) return;
    const index = await deviceIndex(this.#host, deviceOfLane(this.#options.number));
    if (index !== undefined) this.#supervisor.want({ ...this.#program, revision: `${this.#text}# device ${index}\n` });
  }

  #hear(event: ManagementEvent): void {
    switch (event.kind) {
      case "state":
        this.#state = event.state;
        if (event.state === "RECONNECTING" || event.state === "EXITING") {
          this.#lastError.tell(explainDetail(event.detail));
          this.#lastError.endAttempt();
        }
        if (event.state === "CONNECTED") {
          this.#lastError.clear();
          this.#options.onConnected();
        }
        break;
      case "log":
        // What is too large for the way is no fault of the gateway: the search for the largest packet sends it on purpose.
        if (/[FN]/.test(event.flags) && !this.#options.carries() && !event.text.includes("EMSGSIZE")) this.#lastError.tell(event.text);
        break;
      case "fatal":
        this.#lastError.tell(event.text);
        break;
      case "client":
      case "hold":
        break;
    }
  }
}

function managementPath(number: number): string {
  return `${RUN_DIRECTORY}/lane-${number}.sock`;
}
