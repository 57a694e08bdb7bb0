import mri from "mri";

/** What a command takes. Option names are without dashes; every command has `--help` too. */
export interface Shape {
  /** All of `--help`, ended by a newline. */
  readonly usage: string;
  /** Options without a value. */
  readonly flags?: readonly string[];
  /** Options with a value, which may be given again. */
  readonly values?: readonly string[];
  readonly positionals: { readonly least: number; readonly most: number };
}

export interface Arguments {
  readonly help: boolean;
  readonly flags: ReadonlySet<string>;
  /** The values of an option, in their order; none if it was not given. */
  readonly values: (name: string) => readonly string[];
  readonly positionals: readonly string[];
}

/** A command line that the command can't take; exit status 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Throws a UsageError. */
export function readArguments(args: readonly string[], shape: Shape): Arguments {
  const flags = ["help", ...(shape.flags ?? [])];
  const values = shape.values ?? [];
  const parsed = mri<Record<string, unknown>>(args.filter(isNotDash).map(flagAlone(flags)), {
    boolean: [...flags],
    string: [...values],
    alias: { help: "h" },
  });
  for (const name of Object.keys(parsed)) {
    if (name !== "_" && name !== "h" && !flags.includes(name) && !values.includes(name)) {
      throw new UsageError(`there is no option ${name.length === 1 ? "-" : "--"}${name}; --help lists them`);
    }
  }
  const given = new Map(values.map((name) => [name, valuesOf(name, parsed[name])]));
  const positionals = [...args.filter((arg) => !isNotDash(arg)), ...parsed._.map(String)];
  const help = parsed["help"] === true;
  if (!help && positionals.length < shape.positionals.least) throw new UsageError("something is missing; --help tells what");
  if (!help && positionals.length > shape.positionals.most)
    throw new UsageError(`"${positionals.at(-1) ?? ""}" is one argument too many; --help tells what there is`);
  return { help, flags: new Set(flags.filter((name) => parsed[name] === true)), values: (name) => given.get(name) ?? [], positionals };
}

/** `-` stands for standard input; mri takes it for an option without a name. */
const isNotDash = (arg: string): boolean => arg !== "-";

/** mri would read `--json 007` as the number 7. */
const flagAlone =
  (flags: readonly string[]) =>
  (arg: string): string =>
    flags.some((name) => arg === `--${name}`) ? `${arg}=true` : arg;

function valuesOf(name: string, found: unknown): readonly string[] {
  if (found === undefined) return [];
  const all: readonly unknown[] = Array.isArray(found) ? found : [found];
  return all.map((value) => {
    if (typeof value !== "string" || value === "") throw new UsageError(`--${name} needs a value`);
    return value;
  });
}
