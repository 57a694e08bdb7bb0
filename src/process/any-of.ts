/** A condition of ss(8) that is true of any of these addresses: `anyOf("dst", ["10.0.0.1", "10.0.0.2"])`. At least one. */
export function anyOf(key: "src" | "dst", addresses: readonly string[]): readonly string[] {
  return ["(", ...addresses.flatMap((address, index) => [...(index === 0 ? [] : ["or"]), key, address]), ")"];
}
