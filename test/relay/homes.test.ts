import fc from "fast-check";
import { parseBook, printBook } from "../../src/relay/book-text.ts";
import { entryText } from "../../src/relay/client-entries.ts";
import { firstConfig, nameFromHost } from "../../src/relay/first-config.ts";
import { addHome, type Book, BookError, emptyBook, findHome, REST, rekeyHome, removeHome } from "../../src/relay/homes.ts";
import { parseRelayConfig } from "../../src/config/index.ts";
import { test } from "../harness/index.ts";

const NOW = 1_760_000_000;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function filled(names: readonly string[], highest = 4094): Book {
  return names.reduce((book, name, index) => addHome(book, name, `${index}a`, NOW, highest).book, emptyBook);
}

test("homes get the lowest free numbers from 2 on", (t) => {
  const book = filled(["anna", "bert", "carl"]);
  t.same(
    book.homes.map(({ name, number, cn }) => [name, number, cn]),
    [
      ["anna", 2, "home-2-0a"],
      ["bert", 3, "home-3-1a"],
      ["carl", 4, "home-4-2a"],
    ],
  );
});

test("a removed home's number rests for a day, to the second", (t) => {
  const { book, home } = removeHome(filled(["anna", "bert"]), "anna", NOW);
  t.equal(home.number, 2);
  t.equal(findHome(book, "anna"), undefined);
  t.equal(addHome(book, "carl", "c", NOW + REST - 1, 4094).home.number, 4);
  const later = addHome(book, "carl", "c", NOW + REST, 4094);
  t.equal(later.home.number, 2);
  t.same(later.book.rested, []);
  t.same(
    later.book.homes.map(({ name }) => name),
    ["carl", "bert"],
    "by number",
  );
});

test("a clock that was wrong keeps no number for ever", (t) => {
  const { book } = removeHome(filled(["anna"]), "anna", NOW + 100 * REST);
  t.equal(addHome(book, "bert", "b", NOW, 4094).home.number, 2);
});

test("the same name comes back with another number and another common name", (t) => {
  const first = filled(["anna"]);
  const again = addHome(removeHome(first, "anna", NOW).book, "anna", "ff", NOW + 1, 4094);
  t.equal(again.home.number, 3);
  t.not(again.home.cn, findHome(first, "anna")?.cn);
});

test("rekey changes the common name alone", (t) => {
  const before = filled(["anna", "bert"]);
  const { book, home } = rekeyHome(before, "anna", "ee");
  t.same(home, { ...findHome(before, "anna"), cn: "home-2-ee" });
  t.same(findHome(book, "bert"), findHome(before, "bert"));
  t.equal(findHome(book, "anna")?.cn, "home-2-ee");
});

test("what can't be done says what to do", (t) => {
  const book = filled(["anna"]);
  t.throws(() => addHome(book, "anna", "a", NOW, 4094), /there is a home anna already: choose another name, or .* binder relay rekey anna/);
  t.throws(() => addHome(book, "a b", "a", NOW, 4094), /begins with a letter or digit; "a b" is none/);
  t.throws(() => addHome(book, "x\n", "a", NOW, 4094), /"x\\n" is none/);
  t.throws(() => removeHome(book, "bert", NOW), /there is no home "bert": binder relay list shows them all/);
  t.throws(() => rekeyHome(book, "bert", "a"), BookError);
  const full = filled(["a", "b", "c"], 4);
  t.throws(() => addHome(full, "d", "d", NOW, 4), /all 3 numbers are taken or rest: remove a home, and wait a day/);
  t.throws(() => addHome(removeHome(full, "a", NOW).book, "d", "d", NOW, 4), /all 3 numbers/);
});

test("no two homes ever share a number or a common name, whatever is done", (t) => {
  const step = fc.tuple(
    fc.constantFrom("add", "remove", "rekey"),
    fc.constantFrom("a", "b", "c", "d", "e"),
    fc.integer({ min: 0, max: 2 * REST }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let book = emptyBook;
      let now = NOW;
      let serial = 0;
      const used = new Set<string>();
      const freed = new Map<number, number>();
      for (const [kind, name, pause] of steps) {
        now += pause;
        const random = (serial++).toString(16);
        try {
          const { book: next, home } =
            kind === "add"
              ? addHome(book, name, random, now, 10)
              : kind === "remove"
                ? removeHome(book, name, now)
                : rekeyHome(book, name, random);
          if (kind === "remove") freed.set(home.number, now);
          else if (used.has(home.cn)) return false;
          if (kind === "add" && now - (freed.get(home.number) ?? 0) < REST) return false;
          used.add(home.cn);
          book = next;
        } catch (error) {
          if (!(error instanceof BookError)) throw error;
        }
        if (new Set(book.homes.map(({ number }) => number)).size !== book.homes.length) return false;
        if (JSON.stringify(parseBook(bytes(printBook(book)))) !== JSON.stringify(book)) return false;
      }
      return true;
    }),
  );
  t.pass();
});

test("the book's text is the recorded one", (t) => {
  const book = removeHome(filled(["anna-maria", "bert"]), "bert", NOW).book;
  t.equal(
    printBook(book),
    `# Written by binder relay; use binder relay add-home and remove-home.

config home
\toption name 'anna-maria'
\toption number '2'
\toption cn 'home-2-0a'
\toption added '2025-10-09T08:53:20Z'

config rested
\toption number '3'
\toption removed '2025-10-09T08:53:20Z'
`,
  );
  t.same(parseBook(bytes(printBook(book))), book);
  t.same(parseBook(bytes("")), emptyBook);
});

const home = (options: Readonly<Record<string, string>>): string =>
  `config home\n${Object.entries({ name: "anna", number: "2", cn: "home-2-aa", added: "2025-10-09T08:53:20Z", ...options })
    .map(([name, value]) => `\toption ${name} '${value}'\n`)
    .join("")}`;

const DAMAGED: readonly (readonly [string, string, RegExp])[] = [
  ["a torn file", `${home({})}config ho`, /line 6: "ho" is neither home nor rested/],
  ["an open quote", "config home\n\toption name 'anna\n", /line 2: EOF with unterminated '/],
  ["a path for a name", home({ name: "../x" }), /line 1: a home's name is 1 to 32/],
  ["a path for a common name", home({ cn: "home-2-a/../../x" }), /line 1: a home's cn is home-/],
  ["the relay's number", home({ number: "1" }), /line 1: a number is 2 to 4094/],
  ["an octal number", home({ number: "02" }), /a number is 2 to 4094/],
  ["no time", home({ added: "yesterday" }), /added is a time like/],
  ["an impossible time", home({ added: "2025-13-01T00:00:00Z" }), /added is a time like/],
  ["a missing option", "config home\n\toption name 'anna'\n", /line 1: it lacks option cn/],
  ["a name twice", home({}) + home({ number: "3", cn: "home-3-aa" }), /two homes have the name anna/],
  ["a number twice", home({}) + home({ name: "bert", cn: "home-3-aa" }), /two homes have the number 2/],
  ["a common name twice", home({}) + home({ name: "bert", number: "3" }), /two homes have the cn home-2-aa/],
];

test("a damaged book is refused with the file, the line and what to do", (t) => {
  t.equal(parseBook(bytes(home({}))).homes.length, 1);
  for (const [what, text, sentence] of DAMAGED) {
    t.throws(() => parseBook(bytes(text)), sentence, what);
    t.throws(() => parseBook(bytes(text)), /^\/etc\/binder\/relay\/homes, line \d+: .*; mend the file, or put back a copy of it$/, what);
  }
});

test("entries for OpenVPN: the home's address on the lane, and its others behind it", (t) => {
  const wide = { base: 0xc6130000, length: 16 };
  const small = { base: 0x0a090800, length: 24 };
  const entry = (own: string, others: readonly string[]): string =>
    [`ifconfig-push ${own}`, ...others.map((address) => `iroute ${address}`), ""].join("\n");
  const blocks = Array.from({ length: 16 }, (_, block) => block);
  const wideOf = (home: string, without: number): readonly string[] =>
    blocks.filter((block) => block !== without).map((block) => `198.19.${String(block * 16 + (home === "2" ? 0 : 15))}.${home}`);
  t.equal(entryText(wide, 1, 2), entry("198.19.16.2 255.255.240.0", wideOf("2", 1)));
  t.equal(entryText(wide, 15, 4094), entry("198.19.255.254 255.255.240.0", wideOf("254", 15)));
  const smallOnes = blocks.filter((block) => block !== 3).map((block) => `10.9.8.${String(block * 16 + 14)}`);
  t.equal(entryText(small, 3, 14), entry("10.9.8.62 255.255.255.240", smallOnes));
});

test("a relay's first configuration is a valid one", (t) => {
  const result = parseRelayConfig("binder-relay", bytes(firstConfig({ name: "school", addresses: ["45.0.0.1", "45.0.0.2"], port: 4000 })));
  t.match(result, { ok: true, config: { enabled: true, name: "school", addresses: ["45.0.0.1", "45.0.0.2"], port: 4000, lanes: 8 } });
});

test("a relay's name is made from the machine's", (t) => {
  for (const [hostname, name] of [
    ["vps7.example.org\n", "vps7"],
    ["mesh-relay\n", "mesh_relay"],
    ["numbers", "relay"],
    ["", "relay"],
    ["x".repeat(60), "x".repeat(32)],
  ] as const) {
    t.equal(nameFromHost(hostname), name);
  }
});
