import { Household, PORT } from "../test/net/household.ts";
import { compiled, type Description, type Gateway, Testbed } from "../test/testbed/index.ts";
import { balancePerFlow } from "./per-flow.ts";

const MEGA = 1e6;

/** The four gateways of the paper's setting: bit/s, and ms each way. */
export const fourGateways: readonly Gateway[] = [
  { rate: 20 * MEGA, delay: 10 },
  { rate: 10 * MEGA, delay: 30 },
  { rate: 5 * MEGA, delay: 60 },
  { rate: 40 * MEGA, delay: 5 },
];
/** Gateways for the delay of first bytes: 40, 40, 60 and 120 ms round trips. */
export const delayGateways: readonly Gateway[] = [20, 20, 30, 60].map((delay) => ({ rate: 20 * MEGA, delay }));
/** Of which the fastest has an interface of its own, that can be unplugged. */
export const failoverGateways: readonly Gateway[] = fourGateways.map((gateway, index) =>
  index === 3 ? { ...gateway, attach: "wan" } : gateway,
);
/** The fastest is a far one: 120 ms of round trip. */
const farGateways: readonly Gateway[] = fourGateways.map((gateway, index) => (index === 3 ? { ...gateway, delay: 60 } : gateway));
/** Each may have a second of packets waiting. */
const bloatedGateways: readonly Gateway[] = fourGateways.map((gateway) => ({ ...gateway, queue: { ms: 1_000 } }));
/** What Linux gives a router of 128 MB as the most of a receive buffer, bytes. */
const SMALL_BUFFER = 1024 * 1024;

const gatewaysOf = {
  four: fourGateways,
  small: fourGateways,
  delay: delayGateways,
  failover: failoverGateways,
  "failover-far": farGateways,
  bloated: bloatedGateways,
};
export type BinderSetup = keyof typeof gatewaysOf;

/** A home without Binder. */
export interface Plain {
  readonly testbed: Testbed;
  /** Has the LAN go by one gateway alone. */
  alone(gateway: number): Promise<void>;
}

/** The networks that cells measure in; each is built when it is first asked for, and idle while others are measured. */
export class Setups {
  readonly #made = new Map<string, Promise<{ close: () => Promise<void> }>>();
  readonly warnings = new Set<string>();

  async plain(name: "four" | "delay"): Promise<Plain> {
    return await this.#once(`plain-${name}`, async () => {
      const testbed = await this.#testbed({ gateways: name === "four" ? fourGateways : delayGateways });
      return { testbed, alone: async (gateway: number) => await testbed.homeDefault(gateway), close: async () => await testbed.close() };
    });
  }

  async perFlow(): Promise<{ readonly testbed: Testbed }> {
    return await this.#once("per-flow", async () => {
      const testbed = await this.#testbed({ gateways: fourGateways });
      await balancePerFlow(testbed.node("home"), fourGateways.length);
      return { testbed, close: async () => await testbed.close() };
    });
  }

  async binder(name: BinderSetup): Promise<Household> {
    return await this.#once(`binder-${name}`, async () => {
      const gateways = gatewaysOf[name];
      const small = { tcpOf: { home: { receiveBuffer: SMALL_BUFFER, sendBuffer: SMALL_BUFFER } } };
      const house = await Household.create({ gateways, ...(name === "small" ? small : {}) });
      await house.lanesUp(gateways.length);
      for (const warning of house.testbed.warnings) this.warnings.add(warning);
      return house;
    });
  }

  async close(): Promise<void> {
    for (const made of this.#made.values()) await (await made).close();
  }

  async #testbed(description: Description): Promise<Testbed> {
    const testbed = await Testbed.create(description);
    const serving = testbed.node("server").start(await compiled("flow"), ["serve", "--port", String(PORT)]);
    await serving.line(/listening/);
    for (const warning of testbed.warnings) this.warnings.add(warning);
    return testbed;
  }

  async #once<T extends { close: () => Promise<void> }>(key: string, make: () => Promise<T>): Promise<T> {
    const found = this.#made.get(key);
    // Each key has one maker, so what is found is what it made.
    if (found !== undefined) return (await found) as T;
    const made = make();
    this.#made.set(key, made);
    return await made;
  }
}
