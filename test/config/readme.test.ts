import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseConfig, parseRelayConfig } from "../../src/config/index.ts";
import type { ConfigError } from "../../src/config/types.ts";
import { type Test, test } from "../harness/index.ts";
import { projectRoot } from "../testbed/index.ts";

/** A section as README.md describes it. */
interface Described {
  /** `config gateway 'NAME'` is `gateway`; the relay's own file has a section relay too. */
  readonly file: "binder" | "binder-relay";
  readonly type: string;
  readonly options: readonly { readonly name: string; readonly byDefault: string; readonly value: string; readonly meaning: string }[];
}

/** What a section of each type must have beside the option that is tried. */
const needed: Readonly<Record<string, readonly string[]>> = {
  "binder/lan": ["option device 'lan0'"],
  "binder/relay": ["list address '45.0.0.1'"],
  "binder/gateway": ["option device 'wan0'", "option via '10.0.0.1'"],
  "binder/bypass": ["option dest '45.0.0.0/8'"],
};

const cells = (row: string): readonly string[] =>
  row
    .split("|")
    .slice(1, -1)
    .map((cell) => cell.trim());

/** The tables of the configuration reference. */
function readTables(text: string): readonly Described[] {
  const described: Described[] = [];
  let file: Described["file"] = "binder";
  let type = "";
  let rows: string[] = [];
  const lines = text.slice(text.indexOf("## Configuration"), text.indexOf("## Is a relay safe")).split("\n");
  for (const line of [...lines, ""]) {
    if (line.startsWith("### ")) file = line.includes("binder-relay") ? "binder-relay" : "binder";
    type = /^`config ([a-z]+) '/.exec(line)?.[1] ?? type;
    if (line.startsWith("| ")) rows.push(line);
    else if (rows.length > 0) {
      const options = rows.slice(2).map((row) => {
        const [name = "", byDefault = "", value = "", meaning = ""] = cells(row);
        return { name: name.replace(/`/g, ""), byDefault: byDefault.replace(/`/g, ""), value, meaning };
      });
      described.push({ file, type, options });
      rows = [];
    }
  }
  return described;
}

function parse(file: Described["file"], lines: readonly string[]): { readonly errors: readonly ConfigError[]; readonly config: unknown } {
  const bytes = new TextEncoder().encode(lines.map((line) => `${line}\n`).join(""));
  const result = file === "binder" ? parseConfig(file, bytes) : parseRelayConfig(file, bytes);
  return result.ok ? { errors: [], config: result.config } : { errors: result.errors, config: undefined };
}

function section({ file, type }: Described, lines: readonly string[]): readonly string[] {
  const single = type === "binder" || file === "binder-relay";
  return [`config ${type} '${single ? "main" : "x"}'`, ...lines];
}

const neededBy = ({ file, type }: Described): readonly string[] => needed[`${file}/${type}`] ?? [];

async function tables(t: Test): Promise<readonly Described[]> {
  const described = readTables(await readFile(join(projectRoot, "README.md"), "utf8"));
  const names = ["binder/binder", "binder/lan", "binder/relay", "binder/gateway", "binder/bypass", "binder-relay/relay"];
  t.strictSame(
    described.map(({ file, type }) => `${file}/${type}`),
    names,
  );
  return described;
}

test("README.md has every option of every section, and no other", async (t) => {
  for (const described of await tables(t)) {
    const { errors } = parse(described.file, section(described, [...neededBy(described), "option bogus 'x'"]));
    const known = errors
      .map(({ rule }) => /those are (.*)$/.exec(rule)?.[1])
      .find((list) => list !== undefined)
      ?.split(", ");
    t.strictSame([...described.options.map(({ name }) => name)].sort(), [...(known ?? [])].sort(), `${described.file}: ${described.type}`);
  }
});

test("README.md's defaults are those that are used", async (t) => {
  for (const described of await tables(t)) {
    for (const { name, byDefault } of described.options) {
      const label = `${described.file}: ${described.type}.${name} '${byDefault}'`;
      const remote = name === "encap" ? ["option remote '10.0.0.9'"] : neededBy(described);
      const without = parse(described.file, section(described, remote));
      if (byDefault === "none") {
        const camel = name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
        const least = remote.some((line) => line.includes(` ${name} `));
        t.notMatch(least ? "" : JSON.stringify(without.config), new RegExp(`"${camel}":[^[]`), label);
        continue;
      }
      t.not(without.config, undefined, label);
      const said = parse(described.file, section(described, [...remote, `option ${name} '${byDefault}'`]));
      t.strictSame(said.config, without.config, label);
    }
  }
});

test("README.md's ranges are those that are checked", async (t) => {
  for (const described of await tables(t)) {
    for (const { name, value } of described.options) {
      const label = `${described.file}: ${described.type}.${name}`;
      const { errors } = parse(described.file, section(described, [`option ${name} '!'`]));
      const rule = errors.find(({ option }) => option === name)?.rule.replace(/^must be /, "") ?? "";
      const rest = rule.slice(value.length);
      t.ok(value !== "" && rule.startsWith(value) && /^($|,| \()/.test(rest), `${label}: "${value}" is what is checked: "${rule}"`);
    }
  }
});
