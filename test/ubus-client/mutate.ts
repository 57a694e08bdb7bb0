/** mulberry32: a whole number from 0 to below the limit. */
export type Random = (limit: number) => number;

export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}

/** The bytes with one to three changed, put in, taken out, or copied; lengths, which are what matters most, more often than others. */
export function mutated(bytes: Uint8Array, random: Random): Uint8Array {
  let now = [...bytes];
  for (let count = 1 + random(3); count > 0; count--) {
    const at = random(now.length + 1);
    switch (random(5)) {
      case 0:
        now[at] = random(256);
        break;
      case 1:
        // The low byte of some word.
        now[(at & ~3) + 3] = [0, 3, 4, 5, 8, 0x7f, 0xff, random(256)][random(8)] ?? 0;
        break;
      case 2:
        now.splice(at, 1 + random(6));
        break;
      case 3:
        now.splice(at, 0, ...Array.from({ length: 1 + random(5) }, () => random(256)));
        break;
      default: {
        const from = random(now.length + 1);
        now = [...now.slice(0, at), ...now.slice(from, from + random(24)), ...now.slice(at)];
      }
    }
  }
  return Uint8Array.from(now, (byte) => byte);
}
