import fc from "fast-check";
import {
  bytesToText,
  exportUci,
  parseUci,
  printUci,
  putSection,
  showUci,
  textToBytes,
  UciError,
  type UciOption,
  type UciPackage,
  withSection,
} from "../../src/uci-parser/index.ts";
import { test } from "../harness/index.ts";
import { mutated, randomOf, randomText } from "./mutate.ts";
import { cases } from "./recorded.ts";

const parseText = (text: string): UciPackage => parseUci(textToBytes(text));

function refusal(text: string): UciError {
  try {
    parseText(text);
  } catch (error) {
    if (error instanceof UciError) return error;
    throw error;
  }
  throw new Error(`this should not parse: ${JSON.stringify(text)}`);
}

/** Without the lines, which printing changes. */
function content({ sections }: UciPackage): unknown {
  const values = (option: UciOption): unknown => (option.kind === "list" ? option.items.map((item) => item.value) : option.value);
  return sections.map(({ type, name, anonymous, options }) => [
    type,
    name,
    anonymous,
    options.map((option) => [option.name, values(option)]),
  ]);
}

test("there are recorded cases of both kinds", (t) => {
  t.ok(cases.filter(({ status }) => status === 0).length >= 100);
  t.ok(cases.filter(({ status }) => status === 1).length >= 60);
});

for (const recorded of cases) {
  test(`as the real uci: ${recorded.name}`, (t) => {
    if (recorded.status === 0) {
      const uci = parseUci(recorded.input);
      t.equal(exportUci(uci, "t"), recorded.exported, "export");
      t.equal(showUci(uci, "t"), recorded.shown, "show");
      t.equal(showUci(uci, "t", { generatedNames: true }), recorded.shownGenerated, "show -X");
      t.strictSame(content(parseText(printUci(uci))), content(uci), "what is printed parses to the same");
    } else {
      t.equal(`uci: ${refusal(bytesToText(recorded.input)).message}`, recorded.error);
    }
  });
}

test("lines are those where commands start", (t) => {
  const text = "# c\nconfig s 'a'\n\toption x 'l1\nl2\n'\n\toption y 1\n\nconfig s\n\tlist l 1\n\n\tlist l 2\nconfig s a\n\toption x 2\n";
  const [first, second] = parseText(text).sections;
  t.strictSame(first, {
    type: "s",
    name: "a",
    anonymous: false,
    line: 2,
    reopened: [12],
    options: [
      { kind: "option", name: "x", value: "2", line: 13, overridden: [3] },
      { kind: "option", name: "y", value: "1", line: 6, overridden: [] },
    ],
  });
  t.equal(second?.line, 8);
  t.strictSame(second?.options, [
    {
      kind: "list",
      name: "l",
      line: 9,
      overridden: [],
      items: [
        { value: "1", line: 9 },
        { value: "2", line: 11 },
      ],
    },
  ]);
});

test("an error's line is where the refused command starts, though uci counts otherwise", (t) => {
  const open = refusal("config s 'a'\n\toption x 'abc\n\toption y 1\n");
  t.equal(open.line, 2);
  t.match(open.message, /at line 3,/);
  t.equal(open.reason, "EOF with unterminated '");
  t.equal(refusal("config s 'a'\n\tfoo").line, 2);
});

test("lines with a NUL, which double the real program's buffer each, end in an error and not in a hang", (t) => {
  t.equal(parseText("a\0\n".repeat(20).replace("a", "#")).sections.length, 0);
  t.equal(refusal("#\0\n".repeat(60)).message, "Out of memory");
});

test("a list of 200 000 items is no trouble", (t) => {
  const started = Date.now();
  const [section] = parseText(`config s a\n${"\tlist l v\n".repeat(200_000)}`).sections;
  const [list] = section?.options ?? [];
  t.equal(list?.kind === "list" ? list.items.length : 0, 200_000);
  // Emulated processors take some; what grows with the square would take hours.
  t.ok(Date.now() - started < 60_000);
});

const SEED = Math.floor(Math.random() * 2 ** 32);
const nameText = fc.stringMatching(/^[A-Za-z0-9_]{1,12}$/);
const byteText = fc.array(fc.integer({ min: 1, max: 255 }), { maxLength: 60 }).map((units) => String.fromCharCode(...units));
const valueText = byteText.filter((text) => text !== "");
const options = fc.dictionary(nameText, fc.oneof(valueText, fc.array(byteText, { minLength: 1, maxLength: 4 })), { noNullPrototype: true });
const sections = fc.uniqueArray(fc.record({ type: fc.stringMatching(/^[!-~]{1,12}$/), name: nameText, options }), {
  selector: ({ name }) => name,
  maxLength: 6,
});

test(`what is printed parses to the same (seed ${SEED})`, (t) => {
  fc.assert(
    fc.property(sections, (wanted) => {
      const uci = wanted.reduce(withSection, { sections: [] });
      const print = printUci(uci);
      const parsed = parseText(print);
      return JSON.stringify(content(parsed)) === JSON.stringify(content(uci)) && printUci(parsed) === print;
    }),
    { seed: SEED, numRuns: 500 },
  );
  t.pass();
});

test(`a section put into a text is there, and nothing else has changed (seed ${SEED})`, (t) => {
  fc.assert(
    fc.property(fc.nat(), sections, (seed, wanted) => {
      const random = randomOf(seed);
      const text = mutated(randomText(random), random);
      let before: UciPackage;
      try {
        before = parseText(text);
      } catch {
        return true;
      }
      return wanted.every((section) => {
        const edited = parseUci(putSection(textToBytes(text), section));
        return JSON.stringify(content(edited)) === JSON.stringify(content(withSection(before, section)));
      });
    }),
    { seed: SEED, numRuns: 500 },
  );
  t.pass();
});

test(`100 000 mutated texts: no crash, no hang, and what parses prints and parses to the same (seed ${SEED})`, (t) => {
  const random = randomOf(SEED);
  const started = Date.now();
  const pool = cases.map(({ input }) => bytesToText(input)).filter((text) => text.length < 1000);
  let parsed = 0;
  let slowest = 0;
  for (let count = 0; count < 100_000; count++) {
    const seedText = random(3) === 0 ? (pool[random(pool.length)] ?? "") : randomText(random);
    const text = random(4) === 0 ? seedText : mutated(seedText, random);
    const from = Date.now();
    try {
      const uci = parseText(text);
      parsed++;
      const print = printUci(uci);
      const again = parseText(print);
      if (printUci(again) !== print || JSON.stringify(content(again)) !== JSON.stringify(content(uci))) t.fail(JSON.stringify(text));
    } catch (error) {
      if (!(error instanceof UciError)) t.fail(`${String(error)}: ${JSON.stringify(text)}`);
    }
    slowest = Math.max(slowest, Date.now() - from);
  }
  t.comment(`${parsed} parsed, in ${Date.now() - started} ms, the slowest in ${slowest} ms`);
  t.ok(parsed > 20_000, "a good part of them parses");
  t.ok(slowest < 5000, "none takes long");
});

const SCHOOL = { type: "relay", name: "school", options: { enabled: "1", address: ["192.0.2.1", "192.0.2.2"], note: "it's" } };
const SCHOOL_TEXT =
  "config relay 'school'\n\toption enabled '1'\n\tlist address '192.0.2.1'\n\tlist address '192.0.2.2'\n\toption note 'it'\\''s'\n";
const put = (text: string): string => bytesToText(putSection(textToBytes(text), SCHOOL));

test("putting a section keeps comments and the order", (t) => {
  t.equal(put(""), SCHOOL_TEXT);
  t.equal(put("# mine\nconfig s a\n\toption x 1"), `# mine\nconfig s a\n\toption x 1\n\n${SCHOOL_TEXT}`);
  const around = (inner: string): string => `# top\nconfig s a\n\n# about it\n${inner}\n# about b\nconfig s b # b\n\toption y 2\n`;
  t.equal(put(around("config relay school\n\toption enabled 0\n\t# gone\n\toption old 1\n")), around(SCHOOL_TEXT));
});

test("putting what is there already changes not a byte", (t) => {
  const text =
    "# mine\nconfig relay school\n  list address 192.0.2.1\n list address 192.0.2.2; note\n option note it\\'s\n option enabled 1\n";
  const reordered = { ...SCHOOL, options: { address: SCHOOL.options.address, note: "it's", enabled: "1", empty: "", none: [] } };
  t.equal(bytesToText(putSection(textToBytes(text), reordered)), text);
  t.equal(put(put(text)), put(text));
});

test("a text that can't be edited in place is printed anew", (t) => {
  t.equal(put("config s a '' config relay school '' option x 1\n# lost\n"), `\nconfig s 'a'\n\n${SCHOOL_TEXT}\n`);
  t.equal(
    put("config relay school\n\toption x 1\nconfig s a\n# lost\nconfig relay school\n\toption y 1\n"),
    `\n${SCHOOL_TEXT}\nconfig s 'a'\n\n`,
  );
});

test("what UCI can't hold is refused", (t) => {
  const bytes = textToBytes("");
  t.throws(() => putSection(bytes, { ...SCHOOL, type: "a b" }), /^a section's type must be printable/);
  t.throws(() => putSection(bytes, { ...SCHOOL, name: "a-b" }), /a section's name must be letters, digits and '_': 'a-b'/);
  t.throws(() => putSection(bytes, { ...SCHOOL, options: { "a.b": "1" } }), /an option's name must be letters, digits and '_': 'a.b'/);
  t.throws(() => putSection(bytes, { ...SCHOOL, options: { a: "\0" } }), /the value of a must be bytes without NUL/);
  t.throws(() => putSection(bytes, { ...SCHOOL, options: { a: ["1", "\u0100"] } }), /the value of a must be bytes without NUL/);
  t.throws(() => putSection(textToBytes("foo\n"), SCHOOL), { message: "Parse error (invalid command) at line 1, byte 0" });
});
