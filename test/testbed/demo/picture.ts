/** The demo's picture: a bar for each gateway's rate and one for their sum. Rates are bit/s. */

export interface Line {
  readonly name: string;
  /** What it can carry at best. */
  readonly most: number;
  readonly rate: number;
}

export interface Frame {
  readonly title: string;
  readonly lines: readonly Line[];
  /** Columns of the terminal. */
  readonly columns: number;
}

const RATE_WIDTH = "123.4 Mbit/s".length;
const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"] as const;
/** Without room for a bar as long as this the figures stand alone. */
const LEAST_BAR = 8;

/**
 * The picture's rows, none longer than `columns`. All bars have one scale, so the gateways' bars laid end to end make the sum's; dots
 * show what a gateway could carry.
 */
export function drawFrame({ title, lines, columns }: Frame): readonly string[] {
  const sum: Line = { name: "sum", most: total(lines, "most"), rate: total(lines, "rate") };
  const rows = [...lines, sum];
  const nameWidth = Math.max(...rows.map(({ name }) => name.length));
  const room = columns - nameWidth - RATE_WIDTH - 5;
  return [
    title.slice(0, columns),
    ...rows.map(({ name, most, rate }) => {
      const figure = formatMega(rate).padStart(RATE_WIDTH);
      const drawn = room < LEAST_BAR ? "" : `${bar(rate, most, sum.most, Math.min(room, 100))} `;
      return `  ${name.padEnd(nameWidth)} ${drawn}${figure}`.slice(0, columns);
    }),
  ];
}

/** The same in one line, for what is no terminal. */
export function plainLine({ title, lines }: Omit<Frame, "columns">): string {
  const parts = lines.map(({ name, rate }) => `${name} ${(rate / 1e6).toFixed(1)}`);
  return `${title}: ${parts.join(", ")}, sum ${formatMega(total(lines, "rate"))}`;
}

export const formatMega = (rate: number): string => `${(rate / 1e6).toFixed(1)} Mbit/s`;

function total(lines: readonly Line[], what: "most" | "rate"): number {
  return lines.reduce((sum, line) => sum + line[what], 0);
}

function bar(rate: number, most: number, scale: number, width: number): string {
  const cells = (Math.max(0, Math.min(rate, scale)) / scale) * width;
  const eighths = Math.round(cells * 8);
  const full = "█".repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] ?? "");
  const reach = Math.min(width, Math.round((most / scale) * width));
  return full.padEnd(reach, "·").padEnd(width);
}
