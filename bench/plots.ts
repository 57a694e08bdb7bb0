/// <reference lib="dom" />
import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";

export interface Bar {
  readonly label: string;
  readonly direction: string;
  readonly least: number;
  readonly value: number;
  readonly most: number;
}

const standalone = (svg: string): string =>
  svg
    .replace(/^<svg /, '<svg xmlns="http://www.w3.org/2000/svg" ')
    .replace(/^<svg ([^>]*)>/, '<svg $1><rect width="100%" height="100%" fill="white"/>');

/** Medians as bars, with the range of the samples as a line on each; the file's text. */
export function bars(title: string, data: readonly Bar[]): string {
  const { document } = parseHTML("<html></html>");
  const labels = [...new Set(data.map((bar) => bar.label))];
  const plot = Plot.plot({
    document,
    width: 720,
    marginLeft: 190,
    x: { label: title, grid: true, zero: true },
    y: { label: null, domain: labels },
    fy: { label: null },
    color: { legend: false, domain: ["down", "up"], range: ["#3b6ea5", "#c98a2b"] },
    marks: [
      Plot.barX([...data], { x: "value", y: "label", fy: "direction", fill: "direction" }),
      Plot.ruleY([...data], { x1: "least", x2: "most", y: "label", fy: "direction", stroke: "black" }),
      Plot.text([...data], {
        x: "most",
        y: "label",
        fy: "direction",
        text: (bar: Bar) => bar.value.toFixed(1),
        textAnchor: "start",
        dx: 4,
      }),
    ],
  });
  return standalone(plot.outerHTML);
}

export interface Moment {
  readonly label: string;
  /** Seconds from the fault. */
  readonly at: number;
  readonly mbps: number;
}

/** Downloads around their faults, one below the other; the file's text. */
export function courses(data: readonly Moment[], repairs: ReadonlyMap<string, number>): string {
  const { document } = parseHTML("<html></html>");
  const labels = [...new Set(data.map(({ label }) => label))];
  const plot = Plot.plot({
    document,
    width: 760,
    height: 70 * labels.length + 60,
    marginRight: 260,
    x: { label: "seconds from the fault" },
    y: { label: "Mbit/s", grid: true, ticks: 3 },
    fy: { label: null, domain: labels },
    marks: [
      Plot.areaY([...data], { x: "at", y: "mbps", fy: "label", fill: "#3b6ea5", fillOpacity: 0.3 }),
      Plot.lineY([...data], { x: "at", y: "mbps", fy: "label", stroke: "#3b6ea5" }),
      Plot.ruleX(
        labels.map((label) => ({ label, at: 0 })),
        { x: "at", fy: "label", stroke: "#b03030" },
      ),
      Plot.ruleX(
        [...repairs].map(([label, at]) => ({ label, at })),
        { x: "at", fy: "label", stroke: "#3a8a3a" },
      ),
    ],
  });
  return standalone(plot.outerHTML);
}
