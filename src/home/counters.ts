/** Bytes that a device has received and sent since it was made, and its packets. */
export interface DeviceCounters {
  readonly received: number;
  readonly sent: number;
  /** Both ways. */
  readonly packets: number;
}

/** The devices of /proc/net/dev (proc(5)) by name. */
export function parseCounters(text: string): ReadonlyMap<string, DeviceCounters> {
  const counters = new Map<string, DeviceCounters>();
  for (const row of text.split("\n")) {
    const [name, values] = row.split(":");
    if (name === undefined || values === undefined) continue;
    const fields = values.trim().split(/\s+/).map(Number);
    counters.set(name.trim(), { received: fields[0] ?? 0, sent: fields[8] ?? 0, packets: (fields[1] ?? 0) + (fields[9] ?? 0) });
  }
  return counters;
}

interface Sample extends Pick<DeviceCounters, "received" | "sent"> {
  readonly time: number;
}

const KEPT = 4;

/** Bits per second. */
export interface Rates {
  readonly down: number;
  readonly up: number;
}

/** Rates over the last samples of one device. */
export class RateMeter {
  #samples: Sample[] = [];

  /** `time` in ms. A counter that fell belongs to a new device: the meter begins again. */
  add(time: number, { received, sent }: Pick<DeviceCounters, "received" | "sent">): void {
    const last = this.#samples.at(-1);
    if (last !== undefined && (received < last.received || sent < last.sent)) this.#samples = [];
    this.#samples.push({ time, received, sent });
    if (this.#samples.length > KEPT) this.#samples.shift();
  }

  /** Over the samples kept; 0 before the second. */
  get rates(): Rates {
    return ratesBetween(this.#samples[0], this.#samples.at(-1)) ?? { down: 0, up: 0 };
  }

  /** Between the last two samples; undefined before the second. */
  get latest(): Rates | undefined {
    return ratesBetween(this.#samples.at(-2), this.#samples.at(-1));
  }
}

function ratesBetween(first: Sample | undefined, last: Sample | undefined): Rates | undefined {
  if (first === undefined || last === undefined || last.time <= first.time) return undefined;
  const seconds = (last.time - first.time) / 1000;
  return { down: Math.round(((last.received - first.received) * 8) / seconds), up: Math.round(((last.sent - first.sent) * 8) / seconds) };
}
