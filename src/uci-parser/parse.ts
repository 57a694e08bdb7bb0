import { type Fail, nextArgument, skipSpace } from "./arguments.ts";
import { isName, isPackageLineName, isType, NUL, SPACE, TAB } from "./characters.ts";
import { LineBuffer } from "./line-buffer.ts";
import { type OpenSection, PackageBuilder } from "./package-builder.ts";
import { UciError, type UciPackage } from "./types.ts";

/** Reads a text as the `uci` command does, that is strictly. Throws a {@link UciError} where it stops, with its message. */
export function parseUci(bytes: Uint8Array): UciPackage {
  return new Parser(bytes).run();
}

class Parser {
  readonly #buffer: LineBuffer;
  readonly #package = new PackageBuilder();
  #section: OpenSection | undefined;
  /** Line on which the command starts. */
  #line = 0;

  constructor(bytes: Uint8Array) {
    this.#buffer = new LineBuffer(bytes);
  }

  run(): UciPackage {
    const buffer = this.#buffer;
    while (!buffer.ended) {
      buffer.position = 0;
      buffer.readLine(0);
      skipSpace(buffer);
      while (this.#command());
    }
    return this.#package.finish();
  }

  /** One command of a line; false if none is left. A line can hold several: after a quoted `;` or after an empty last argument. */
  #command(): boolean {
    const buffer = this.#buffer;
    this.#line = buffer.inputLine;
    const word = this.#word();
    if (word === "" || word.startsWith("#")) return false;
    switch (word) {
      case "p":
      case "package":
        this.#parsePackage();
        return true;
      case "c":
      case "config":
        this.#parseConfig();
        return true;
      case "o":
      case "option":
        this.#parseOption("option");
        return true;
      case "l":
      case "list":
        this.#parseOption("list");
        return true;
      default:
        return this.#fail("invalid command");
    }
  }

  /** strtok: the next word, between spaces and tabs alone. The byte after it becomes a NUL; the position stays before it. */
  #word(): string {
    const buffer = this.#buffer;
    let start = buffer.position;
    while (buffer.at(start) === SPACE || buffer.at(start) === TAB) start++;
    let end = start;
    while (buffer.at(end) !== NUL && buffer.at(end) !== SPACE && buffer.at(end) !== TAB) end++;
    buffer.set(end, NUL);
    return buffer.text(start);
  }

  /** To behind the command's word. */
  #enter(reason: string): void {
    const next = this.#buffer.end(this.#buffer.position) + 1;
    if (next > this.#buffer.filled) this.#fail(reason);
    this.#buffer.position = next;
  }

  /** Its name is checked and then ignored: the file's counts. */
  #parsePackage(): void {
    this.#enter("package without name");
    this.#nameArgument(isPackageLineName);
    this.#endOfCommand();
  }

  #parseConfig(): void {
    this.#enter("config without name");
    const type = this.#requiredArgument();
    if (!isType(type)) this.#fail("invalid character in type field");
    const name = nextArgument(this.#buffer, this.#fail);
    if (name !== "" && !isName(name)) this.#fail("invalid character in name field");
    this.#endOfCommand();

    const known = name === "" ? undefined : this.#package.find(name);
    if (known === undefined) {
      this.#section = this.#package.addSection(type, name, this.#line);
      return;
    }
    if (known.type !== type) this.#fail("section of different type overwrites prior section with same name");
    known.reopened.push(this.#line);
    this.#section = known;
  }

  #parseOption(kind: "option" | "list"): void {
    const section = this.#section;
    if (section === undefined) return this.#fail("option/list command found before the first section");
    this.#enter("option without name");
    const name = this.#nameArgument(isName);
    const value = nextArgument(this.#buffer, this.#fail);
    this.#endOfCommand();
    if (kind === "list") this.#package.addToList(section, name, value, this.#line);
    else this.#package.setOption(section, name, value, this.#line);
  }

  #requiredArgument(): string {
    const argument = nextArgument(this.#buffer, this.#fail);
    return argument === "" ? this.#fail("insufficient arguments") : argument;
  }

  #nameArgument(valid: (text: string) => boolean): string {
    const name = this.#requiredArgument();
    return valid(name) ? name : this.#fail("invalid character in name field");
  }

  #endOfCommand(): void {
    if (nextArgument(this.#buffer, this.#fail) !== "") this.#fail("too many arguments");
  }

  readonly #fail: Fail = (reason) => {
    throw new UciError(`Parse error (${reason}) at line ${this.#buffer.lines}, byte ${this.#buffer.position}`, reason, this.#line);
  };
}
