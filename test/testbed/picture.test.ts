import fc from "fast-check";
import { test } from "../harness/index.ts";
import { drawFrame, plainLine } from "./demo/picture.ts";

const lines = [
  { name: "gw1", most: 20e6, rate: 10e6 },
  { name: "gw2", most: 60e6, rate: 60e6 },
];

test("the demo's picture: bars on one scale, dots for what a gateway could carry, figures", (t) => {
  const rows = drawFrame({ title: "Over all", lines, columns: 40 });
  t.strictSame(rows, [
    "Over all",
    "  gw1 ██▌··                 10.0 Mbit/s",
    "  gw2 ███████████████       60.0 Mbit/s",
    "  sum █████████████████▌··  70.0 Mbit/s",
  ]);
  t.equal(plainLine({ title: "Over all", lines }), "Over all: gw1 10.0, gw2 60.0, sum 70.0 Mbit/s");
});

test("no row of the picture is wider than the terminal, and no rate breaks it", (t) => {
  const rate = fc.double({ min: 0, max: 1e12, noNaN: true });
  const line = fc.record({
    name: fc.string({ maxLength: 30, unit: fc.constantFrom("g", "w", "1") }),
    most: fc.double({ min: 1, max: 1e11, noNaN: true }),
    rate,
  });
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 8 }), fc.integer({ min: 20, max: 300 }), (drawn, columns) => {
      const rows = drawFrame({ title: "One download, 3 of 20 s", lines: drawn, columns });
      return rows.length === drawn.length + 2 && rows.every((row) => row.length <= columns);
    }),
  );
  t.pass("of a hundred pictures");
});
