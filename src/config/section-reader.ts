import type { UciOption, UciSection } from "../uci-parser/index.ts";
import { hasControl, readable } from "./errors.ts";
import { name as nameRule, type Rule } from "./rules.ts";
import type { ConfigError } from "./types.ts";

/**
 * Reads the options of one section by their rules, and puts what is wrong into a list. What can't be read counts as absent, so that
 * reading goes on to the next error. {@link finish} comes last: options that nobody read are unknown ones.
 */
export class SectionReader {
  readonly section: UciSection;
  /** `gateway 'school'`, or `gateway` for one without a name. */
  readonly label: string;
  readonly #file: string;
  readonly #errors: ConfigError[];
  readonly #options: ReadonlyMap<string, UciOption>;
  readonly #known: string[] = [];
  readonly #refused = new Set<string>();

  constructor(file: string, section: UciSection, errors: ConfigError[]) {
    this.section = section;
    this.label = labelOf(section);
    this.#file = file;
    this.#errors = errors;
    this.#options = new Map(section.options.map((option) => [option.name, option]));
    this.#checkName();
    for (const option of section.options) this.#checkText(option);
  }

  get name(): string {
    return this.section.name;
  }

  /** Whether the option is there, right or wrong. */
  has(option: string): boolean {
    return this.#options.has(option);
  }

  /** The option's value; undefined if it is absent or wrong. */
  optional<T>(name: string, rule: Rule<T>): T | undefined {
    const option = this.#take(name);
    if (option === undefined) return undefined;
    if (option.kind === "list") {
      this.fail(name, `is one value: write option ${name}, not list ${name}`);
      return undefined;
    }
    const value = rule.parse(option.value);
    if (value === undefined) this.fail(name, rule.must);
    return value;
  }

  value<T>(name: string, rule: Rule<T>, byDefault: T): T {
    return this.optional(name, rule) ?? byDefault;
  }

  /** All values, of `list` lines or of one `option` with spaces between them. */
  list<T>(name: string, rule: Rule<T>): readonly T[] {
    const option = this.#take(name);
    if (option === undefined) return [];
    const found: T[] = [];
    const texts = new Set<string>();
    for (const { value, line } of itemsOf(option)) {
      for (const text of wordsOf(value)) {
        const parsed = rule.parse(text);
        if (parsed === undefined) this.fail(name, rule.must, { value: text, line });
        else if (texts.has(text)) this.fail(name, "must be there once", { value: text, line });
        else found.push(parsed);
        texts.add(text);
      }
    }
    if (texts.size === 0) this.fail(name, rule.must);
    return found;
  }

  /** Reports what is wrong with an option, by default at its own line and with its value; with no option, with the section. */
  fail(name: string, rule: string, at: { readonly value?: string; readonly line?: number } = {}): void {
    const option = this.#options.get(name);
    const items = option === undefined ? [] : itemsOf(option);
    const item = items.find(({ value }) => at.value !== undefined && wordsOf(value).includes(at.value)) ?? items[0];
    this.#errors.push({
      file: this.#file,
      line: at.line ?? item?.line ?? this.section.line,
      section: this.label,
      option: name,
      rule,
      value: readable(at.value ?? item?.value ?? ""),
    });
  }

  finish(): void {
    for (const option of this.#options.keys()) {
      if (!this.#known.includes(option))
        this.fail(option, `is no option of a ${this.section.type} section; those are ${this.#known.join(", ")}`);
    }
  }

  #take(name: string): UciOption | undefined {
    this.#known.push(name);
    return this.#refused.has(name) ? undefined : this.#options.get(name);
  }

  #checkName(): void {
    const { section } = this;
    if (section.anonymous) this.fail("", `must have a name: config ${section.type} 'NAME'`);
    else if (nameRule.parse(section.name) === undefined) this.fail("", "must have a name of at most 32 letters");
    for (const line of section.reopened) this.fail("", `must have a name of its own: the section on line ${section.line} has it`, { line });
  }

  #checkText(option: UciOption): void {
    const bad = itemsOf(option).find(({ value }) => hasControl(value));
    if (bad !== undefined) {
      this.fail(option.name, "must not have control characters in it", bad);
      this.#refused.add(option.name);
    }
    const [earlier] = option.overridden;
    if (earlier !== undefined) this.fail(option.name, `must be there once: line ${earlier} has it too`);
  }
}

const wordsOf = (value: string): readonly string[] => value.split(" ").filter((word) => word !== "");

const itemsOf = (option: UciOption): readonly { readonly value: string; readonly line: number }[] =>
  option.kind === "list" ? option.items : [option];

export const labelOf = (section: UciSection): string => (section.anonymous ? section.type : `${section.type} '${section.name}'`);
