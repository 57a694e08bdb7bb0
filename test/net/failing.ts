/** What the tests of gateways that fail have in common. */
import { type Household, type StatusGateway, until } from "./household.ts";

export const gateways = [
  { rate: 20e6, delay: 10, attach: "wan" },
  { rate: 10e6, delay: 20 },
  { rate: 30e6, delay: 5 },
] as const;

/** Waits until the gateway's state and reason match. */
export async function inState(house: Household, number: number, pattern: RegExp, limit = 10_000): Promise<StatusGateway> {
  return await until(`gateway ${String(number)} is ${String(pattern)}`, limit, async () => {
    const found = (await house.status()).gateways.find((one) => one.number === number);
    return found !== undefined && pattern.test(`${found.state} ${found.reason}`) ? found : undefined;
  });
}
