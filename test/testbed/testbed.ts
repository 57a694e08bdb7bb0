import { allowedCongestion, chooseCongestion, inheritedCongestion } from "./congestion.ts";
import { configureNode, layCables } from "./configure.ts";
import { Keeper } from "./keeper.ts";
import { Emulator, Link } from "./link.ts";
import type { TestNode } from "./node.ts";
import { type GatewayPlan, planTopology, type Topology, WIRE } from "./topology.ts";
import type { Description } from "./types.ts";

/** An emulated community network. Nothing of it outlives {@link Testbed.close}, nor the process that made it. */
export class Testbed {
  /** Of random loss and jitter. A failing test prints it. */
  readonly seed: number;
  readonly nodes: ReadonlyMap<string, TestNode>;
  /** What differs from the description on this machine; printed beside every measurement. */
  readonly warnings: readonly string[];
  readonly #keeper: Keeper;
  readonly #links: readonly Link[];
  readonly #gateways: readonly GatewayPlan[];
  readonly #emulator: Emulator;

  private constructor(
    keeper: Keeper,
    emulator: Emulator,
    topology: Topology,
    nodes: ReadonlyMap<string, TestNode>,
    seed: number,
    warnings: readonly string[],
  ) {
    this.#keeper = keeper;
    this.#emulator = emulator;
    this.#gateways = topology.gateways;
    this.#links = topology.gateways.map((_, index) => new Link(emulator, index));
    this.nodes = nodes;
    this.seed = seed;
    this.warnings = warnings;
  }

  /** Builds the network in some 300 ms; all of it is up when this resolves. Needs root, `ip`, `nft` and `cc`. `signal` closes it. */
  static async create(description: Description, signal?: AbortSignal): Promise<Testbed> {
    signal?.throwIfAborted();
    const topology = planTopology(description);
    const seed = description.seed ?? Date.now() % 1_000_000;
    const [allowed, inherited] = await Promise.all([allowedCongestion(), inheritedCongestion()]);
    const choices = new Map(topology.nodes.map(({ name, tcp }) => [name, chooseCongestion(tcp.congestion, allowed, inherited)]));
    const warnings = [...new Set([...choices.values()].flatMap(({ warning }) => warning ?? []))];
    const keeper = await Keeper.start();
    try {
      const made = await Promise.all(topology.nodes.map((plan) => keeper.node(plan.name)));
      const nodes = new Map(made.map((node) => [node.name, node]));
      const wire = need(nodes, WIRE);
      await layCables(wire, nodes, topology.cables);
      await Promise.all(
        topology.nodes.map(async (plan) => {
          const congestion = choices.get(plan.name)?.name ?? inherited;
          await configureNode(need(nodes, plan.name), plan, topology.cables, congestion, description.ipv6 ?? false);
        }),
      );
      const pairs = topology.gateways.map((_, index) => `near${String(index + 1)}:far${String(index + 1)}`);
      const emulator = await Emulator.start(wire, seed, pairs);
      const testbed = new Testbed(keeper, emulator, topology, nodes, seed, warnings);
      await Promise.all(
        description.gateways.map(async ({ attach: _1, address: _2, homeAddress: _3, deviceMtu: _4, ...line }, index) => {
          await testbed.link(index + 1).set(line);
        }),
      );
      await testbed.homeDefault(description.homeDefault);
      signal?.addEventListener("abort", () => void testbed.close(), { once: true });
      signal?.throwIfAborted();
      return testbed;
    } catch (error) {
      await keeper.close();
      throw error;
    }
  }

  /** A node by its name: `home`, `relay`, `gw1`, … Throws if there is none. */
  node(name: string): TestNode {
    return need(this.nodes, name);
  }

  /** The line of gateway `number`, counted from 1. */
  link(number: number): Link {
    const link = this.#links[number - 1];
    if (link === undefined) throw new RangeError(`there is no gateway ${String(number)}`);
    return link;
  }

  /**
   * Routes the home by gateway `number` as a plain router would, hiding the LAN behind its own address; undefined takes that away.
   * It uses an nft table and a route of its own and leaves all others alone.
   */
  async homeDefault(number: number | undefined): Promise<void> {
    const home = this.node("home");
    const clear = "table ip plain-router {}; delete table ip plain-router;";
    if (number === undefined) {
      await home.must("nft", ["-f", "-"], { input: clear });
      await home.run("ip", ["route", "del", "default", "proto", "static", "metric", "100"]);
      return;
    }
    const gateway = this.#gateways[number - 1];
    if (gateway === undefined) throw new RangeError(`there is no gateway ${String(number)}`);
    const nat = `ip saddr 192.168.1.0/24 oifname "${gateway.device}" masquerade`;
    await home.must("nft", ["-f", "-"], {
      input: `${clear} table ip plain-router { chain out { type nat hook postrouting priority srcnat; ${nat}; }; }`,
    });
    await home.ip([`route replace default via ${gateway.address} dev ${gateway.device} proto static metric 100`]);
  }

  /** The processor time that the emulation of the lines took so far, in seconds. */
  emulatorCpu(): Promise<number> {
    return this.#emulator.cpu();
  }

  /** Ends every process of the testbed and takes the network down. May be called again. */
  close(): Promise<void> {
    return this.#keeper.close();
  }
}

function need(nodes: ReadonlyMap<string, TestNode>, name: string): TestNode {
  const node = nodes.get(name);
  if (node === undefined) throw new Error(`there is no node ${name}; there are ${[...nodes.keys()].join(", ")}`);
  return node;
}
