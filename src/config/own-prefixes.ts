import { contains, formatPrefix, parseIpv4, type Prefix } from "../plan/addresses.ts";
import type { SectionReader } from "./section-reader.ts";

/** The prefixes that Binder gives out itself; nothing else may have an address there. */
export class OwnPrefixes {
  readonly #prefixes: readonly { readonly what: string; readonly prefix: Prefix }[];

  constructor(aliasPrefix: Prefix, lanePrefixes: readonly Prefix[]) {
    this.#prefixes = [
      { what: "alias_prefix", prefix: aliasPrefix },
      ...lanePrefixes.map((prefix) => ({ what: "the lanes' prefix", prefix })),
    ];
  }

  /** Reports an address of an option's that lies in one of them. */
  refuseAddress(reader: SectionReader, option: string, text: string | undefined): void {
    const address = text === undefined ? undefined : parseIpv4(text);
    if (address !== undefined) this.refusePrefix(reader, option, { base: address, length: 32 }, text);
  }

  /** Reports a prefix of an option's that lies in one of them. One that is larger, 0.0.0.0/0 for instance, is well. */
  refusePrefix(reader: SectionReader, option: string, inner: Prefix | undefined, text?: string): void {
    if (inner === undefined) return;
    for (const { what, prefix } of this.#prefixes) {
      if (inner.length < prefix.length || !contains(prefix, inner.base)) continue;
      reader.fail(
        option,
        `must not lie in ${what}, ${formatPrefix(prefix)}: Binder gives out those addresses itself`,
        text === undefined ? {} : { value: text },
      );
    }
  }
}
