import { compiled, type Description, projectRoot, type Running, Testbed, type TestNode } from "../testbed/index.ts";

/** How the home of a {@link Household} is set up, beyond what a new user would type. */
export interface HouseholdOptions {
  /** Added to /etc/config/binder. */
  readonly extraConfig?: string;
  /** Options of the section `binder 'main'`, `option ipv6 'off'` for instance. */
  readonly mainOptions?: readonly string[];
  /** Options of single gateways, by number. */
  readonly gatewayOptions?: Readonly<Record<number, readonly string[]>>;
  /** Of the relay's configuration: `option connections '10'`. */
  readonly relayOptions?: readonly string[];
  /** Called when the network stands and the servers listen, before Binder is set up. */
  readonly beforeBinder?: (testbed: Testbed) => Promise<void>;
  /** Told every step of the set-up before it is done: the machine, and what a new user types or writes there. */
  readonly onStep?: (machine: "relay" | "home", step: string) => void;
}

export interface StatusGateway {
  readonly name: string;
  readonly number: number;
  readonly state: string;
  readonly since: number;
  readonly reason: string;
  readonly delay_ms: number | null;
  readonly loss: number;
  readonly down_bps: number;
  readonly up_bps: number;
  readonly advice: string;
}

export interface Status {
  readonly transport: string;
  readonly gateways: readonly StatusGateway[];
  readonly warnings: readonly string[];
}

/** Home and relay. */
export const BINDER = process.env["BINDER"] ?? `${projectRoot}/build/binder`;
export const SERVER = "45.0.200.2";
export const RELAY = "45.0.100.2";
export const PORT = 5001;

/** Waits until `check` answers something other than undefined, looking every 50 ms. Rejects after `limit` milliseconds with `what`. */
export async function until<T>(what: string, limit: number, check: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + limit;
  for (;;) {
    const found = await check();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${String(limit)} ms`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** A household with its relay in an emulated network, set up as a new user would: relay init, add-home, join. */
export class Household {
  readonly testbed: Testbed;
  homeDaemon: Running;
  relayDaemon: Running;

  private constructor(testbed: Testbed, home: Running, relay: Running) {
    this.testbed = testbed;
    this.homeDaemon = home;
    this.relayDaemon = relay;
  }

  static async create(description: Description, options: HouseholdOptions = {}): Promise<Household> {
    const testbed = await Testbed.create(description);
    try {
      // The kernel grants a namespace few congestion controls; what the servers have is what Binder gets.
      const congestion = (await testbed.node("server").read("/proc/sys/net/ipv4/tcp_congestion_control")).trim();
      for (const name of ["server", "server2"]) {
        const server = testbed.nodes.get(name);
        if (server === undefined) continue;
        const serving = server.start(await compiled("flow"), ["serve", "--port", String(PORT)]);
        await serving.line(/listening/);
      }
      await options.beforeBinder?.(testbed);
      const relay = await startRelay(testbed.node("relay"), congestion, options);
      options.onStep?.("relay", "binder relay add-home farm");
      const invite = await testbed.node("relay").must(BINDER, ["relay", "add-home", "farm"]);
      const home = await startHome(testbed, invite, homeConfig(description, congestion, options), options);
      return new Household(testbed, home, relay);
    } catch (error) {
      await testbed.close();
      throw error;
    }
  }

  node(name: string): TestNode {
    return this.testbed.node(name);
  }

  /** Lets a further home of the testbed (`home2`, by `homes` in its description) in under its name, and runs it as the first is. */
  async settle(name: string): Promise<Running> {
    const invite = await this.node("relay").must(BINDER, ["relay", "add-home", name]);
    const home = this.node(name);
    await home.write("/etc/config/binder", await this.node("home").read("/etc/config/binder"));
    await home.must(BINDER, ["join", "-"], { input: invite });
    return home.start(BINDER, ["run"]);
  }

  async status(): Promise<Status> {
    return JSON.parse(await this.node("home").must(BINDER, ["status", "--json"])) as Status;
  }

  /** Waits until these gateways (all, by default) are up, and no others. */
  async lanesUp(count: number, limit = 30_000, home = "home"): Promise<Status> {
    let last = "";
    try {
      return await until(`${String(count)} lanes up`, limit, async () => {
        const { status, stdout } = await this.node(home).run(BINDER, ["status", "--json"]);
        if (status !== 0) return undefined;
        last = stdout;
        const parsed = JSON.parse(stdout) as Status;
        const carried = count === 0 || parsed.transport !== "off";
        return carried && parsed.gateways.filter((gateway) => gateway.state === "up").length === count ? parsed : undefined;
      });
    } catch (error) {
      throw new Error(
        `${error instanceof Error ? error.message : String(error)}\n${last}\nhome: ${this.homeDaemon.stderr}\nrelay: ${this.relayDaemon.stderr}`,
      );
    }
  }

  /** Runs the flow tool on a LAN host, and answers its last line. */
  async flow(args: readonly string[], limit = 60_000, host = "lan1"): Promise<FlowResult> {
    const { stdout, stderr } = await this.node(host).run(await compiled("flow"), [...args], { limit });
    const line = stdout.trim().split("\n").at(-1) ?? "";
    if (line === "") throw new Error(`flow ${args.join(" ")} said nothing: ${stderr}`);
    return JSON.parse(line) as FlowResult;
  }

  async get(args: readonly string[], limit?: number): Promise<FlowResult> {
    return await this.flow(["get", "--to", SERVER, "--port", String(PORT), ...args], limit);
  }

  async put(args: readonly string[], limit?: number): Promise<FlowResult> {
    return await this.flow(["put", "--to", SERVER, "--port", String(PORT), ...args], limit);
  }

  async close(): Promise<void> {
    await this.testbed.close();
  }
}

export interface FlowResult {
  readonly bytes: number;
  readonly seconds: number;
  readonly bps: number;
  readonly first_byte_ms: number;
  readonly content: string;
  readonly end: string;
  readonly peer: string;
  readonly mptcp: boolean;
}

/** Sets a relay up on a node as its operator would, and starts it. */
export async function startRelay(
  relay: TestNode,
  congestion: string,
  options: Pick<HouseholdOptions, "onStep" | "relayOptions">,
  { name, address } = { name: "coop", address: RELAY },
): Promise<Running> {
  options.onStep?.("relay", `binder relay init --address ${address} --name ${name}`);
  await relay.must(BINDER, ["relay", "init", "--address", address, "--name", name]);
  const text = await relay.read("/etc/config/binder-relay");
  const added = [`option congestion '${congestion}'`, ...(options.relayOptions ?? [])];
  await relay.write("/etc/config/binder-relay", `${text.trimEnd()}\n${added.map((option) => `\t${option}\n`).join("")}`);
  options.onStep?.("relay", "binder relay run");
  const daemon = relay.start(BINDER, ["relay", "run"]);
  await until("the relay runs", 10_000, async () => ((await relay.run(BINDER, ["status", "--json"])).status === 0 ? true : undefined));
  return daemon;
}

async function startHome(testbed: Testbed, invite: string, config: string, { onStep }: HouseholdOptions): Promise<Running> {
  const home = testbed.node("home");
  onStep?.("home", `(into /etc/config/binder)\n${config.trimEnd()}`);
  await home.write("/etc/config/binder", config);
  onStep?.("home", "binder join -          (and the invite is pasted)");
  await home.must(BINDER, ["join", "-"], { input: invite });
  onStep?.("home", "binder run");
  return home.start(BINDER, ["run"]);
}

function homeConfig(description: Description, congestion: string, options: HouseholdOptions): string {
  const main = [
    `config binder 'main'`,
    `\toption congestion '${congestion}'`,
    ...(options.mainOptions ?? []).map((option) => `\t${option}`),
    "",
    "config lan 'home'",
    "\toption device 'lan0'",
    "",
  ];
  const gateways = description.gateways.flatMap((gateway, index) => {
    const number = index + 1;
    const wan = gateway.attach === "wan";
    const via = wan ? (gateway.address ?? `192.168.${String(10 + number)}.1`) : `10.77.0.${String(100 + number)}`;
    return [
      `config gateway 'gw${String(number)}'`,
      `\toption device '${wan ? `wan${String(number)}` : "mesh0"}'`,
      `\toption via '${via}'`,
      ...(options.gatewayOptions?.[number] ?? []).map((option) => `\t${option}`),
      "",
    ];
  });
  return `${[...main, ...gateways].join("\n")}\n${options.extraConfig ?? ""}`;
}
