import { blockLength, type Prefix } from "./addresses.ts";
import { MAX_HOME } from "./numbers.ts";

/** The highest home number that fits a block of this prefix, at most {@link MAX_HOME}; the block's last address is its broadcast. */
export function highestHome(lanePrefix: Prefix): number {
  return Math.min(MAX_HOME, 2 ** (32 - blockLength(lanePrefix)) - 2);
}

/** The netmask of every block, dotted, as `ifconfig-push` wants it: `255.255.240.0` for a /16. */
export function blockNetmask(lanePrefix: Prefix): string {
  const mask = 2 ** 32 - 2 ** (32 - blockLength(lanePrefix));
  return [24, 16, 8, 0].map((shift) => (mask >>> shift) & 255).join(".");
}

/** A usable host address: not of 0/8, 127/8, or 224/3 (multicast, reserved, broadcast). */
export function isUnicast(address: number): boolean {
  const first = address >>> 24;
  return first >= 1 && first <= 223 && first !== 127;
}
