/** What the tests of gateways that fail have in common. */
import { type Household, type StatusGateway, until } from "./household.ts";

export const gateways = [
  { rate: 20e6, delay: 10, attach: "wan" },
  { rate: 10e6, delay: 20 },
  { rate: 30e6, delay: 5 },
] as const;

/** Waits until the gateway's state and reason match; if they do not, says what they were. */
export async function inState(house: Household, number: number, pattern: RegExp, limit = 10_000): Promise<StatusGateway> {
  const passed: string[] = [];
  try {
    return await until(`gateway ${String(number)} is ${String(pattern)}`, limit, async () => {
      const found = (await house.status()).gateways.find((one) => one.number === number);
      const words = found === undefined ? "not there" : `${found.state} ${found.reason}`;
      if (passed.at(-1) !== words) passed.push(words);
      return found !== undefined && pattern.test(words) ? found : undefined;
    });
  } catch (error) {
    throw new Error(`${String(error)}; it was ${passed.slice(-10).join(", then ")}`, { cause: error });
  }
}
