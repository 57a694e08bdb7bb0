import fc from "fast-check";
import { editConfig } from "../../src/cli/join/edit-config.ts";
import { bytesToText, exportUci, parseUci, textToBytes, type UciPackage } from "../../src/uci-parser/index.ts";
import { test } from "../harness/index.ts";

const relay = { name: "school", addresses: ["45.0.0.1", "45.0.0.2"], port: 4000 };
const SECTION = "config relay 'school'\n\tlist address '45.0.0.1'\n\tlist address '45.0.0.2'\n\toption port '4000'\n";

/** The text that editing makes of a text; undefined where it changes nothing. */
function edited(text: string | undefined): string | undefined {
  const result = editConfig(text === undefined ? undefined : textToBytes(text), relay);
  return result === undefined ? undefined : bytesToText(result);
}

/** All but what an invite decides. */
function rest(uci: UciPackage): string {
  const sections = uci.sections
    .filter((section) => section.name !== "school" || section.options.some(({ name }) => name !== "address" && name !== "port"))
    .map((section) =>
      section.name === "school"
        ? { ...section, options: section.options.filter(({ name }) => name !== "address" && name !== "port") }
        : section,
    );
  return exportUci({ sections }, "binder");
}

const CASES: readonly (readonly [string, string | undefined, string | undefined])[] = [
  ["no file", undefined, `config binder 'main'\n\toption enabled '1'\n\n${SECTION}`],
  ["an empty file", "", `\n${SECTION}`],
  ["no newline at the end", "config lan 'lan'", `config lan 'lan'\n\n${SECTION}`],
  ["all there already", SECTION, undefined],
  ["said in other words", "config relay school\n option address '45.0.0.1 45.0.0.2'\n option port 4000 # !\n", undefined],
  [
    "a comment, another option and another order",
    "config relay school # ours\n\toption port 1\n\t# kept\n\toption priority 2\n\tlist address 1.1.1.1\n",
    "config relay school # ours\n\tlist address '45.0.0.1'\n\tlist address '45.0.0.2'\n\toption port '4000'\n\t# kept\n\toption priority 2\n",
  ],
  [
    "the old value on the last line, without a newline",
    "config relay school\n\toption port 1",
    "config relay school\n\tlist address '45.0.0.1'\n\tlist address '45.0.0.2'\n\toption port '4000'",
  ],
  [
    "set again and again",
    "config relay school\n option port 1\n option port 2\n option address x\n list address y\n",
    "config relay school\n\tlist address '45.0.0.1'\n\tlist address '45.0.0.2'\n\toption port '4000'\n",
  ],
  [
    "the section opened twice",
    "config relay school\n option port 1\nconfig lan lan\nconfig relay school\n list address y\n",
    "config relay school\n\tlist address '45.0.0.1'\n\tlist address '45.0.0.2'\n\toption port '4000'\nconfig lan lan\nconfig relay school\n",
  ],
  ["another relay", "config relay other\n\tlist address 1.1.1.1\n", `config relay other\n\tlist address 1.1.1.1\n\n${SECTION}`],
  ["bytes that are no UTF-8", "config lan 'lan' # \xff\xfe\n", `config lan 'lan' # \xff\xfe\n\n${SECTION}`],
];

test("the section is added or brought up to date, and all else stays byte for byte", (t) => {
  for (const [what, before, after] of CASES) {
    t.equal(edited(before), after, what);
    if (after !== undefined) t.equal(edited(after), undefined, `${what}: twice changes nothing`);
  }
});

test("where lines are not commands the file is printed anew, and means the same", (t) => {
  for (const text of [
    "config relay school\n\tlist address 'one\ntwo'\n\toption priority 2\n",
    "config relay ;;",
    'config relay "sch\\\nool"\n',
  ]) {
    const after = edited(text) ?? "";
    t.equal(rest(parseUci(textToBytes(after))), rest(parseUci(textToBytes(text))), JSON.stringify(text));
    t.equal(edited(after), undefined);
  }
});

test("of any file, all but the relay's addresses and port keeps its meaning", (t) => {
  const word = fc.constantFrom(
    "school",
    "lan",
    "a",
    "'b c'",
    '"d\\\n e"',
    "'f\ng'",
    "#h",
    ";",
    "''",
    "\\\n",
    "address",
    "port",
    "45.0.0.1",
  );
  const command = fc.tuple(
    fc.constantFrom("config relay", "config lan", "option address", "list address", "option port", "option", "list", "#"),
    fc.array(word, { maxLength: 3 }),
    fc.constantFrom("\n", "\n", "\n", " ", "\n\n", ";"),
  );
  let changed = 0;
  fc.assert(
    fc.property(fc.array(command, { maxLength: 12 }), (commands) => {
      const text = commands.map(([name, words, end]) => `${name} ${words.join(" ")}${end}`).join("");
      let before: UciPackage;
      try {
        before = parseUci(textToBytes(text));
      } catch {
        return true;
      }
      if (before.sections.some(({ name, type }) => name === "school" && type !== "relay")) return true;
      const after = edited(text);
      if (after === undefined) return true;
      changed++;
      return rest(parseUci(textToBytes(after))) === rest(before) && edited(after) === undefined;
    }),
    { numRuns: 3000 },
  );
  t.ok(changed > 100, `${changed} texts were edited`);
});
