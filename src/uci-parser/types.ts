/**
 * UCI, OpenWrt's configuration format, as data. Text is kept as bytes in strings: one UTF-16 unit a byte, 0x00 to 0xff, so that
 * nothing is lost of texts that are not UTF-8 (bytes.ts converts).
 *
 * Source of all of it: git.openwrt.org/project/uci.git, file.c, list.c and cli.c of 2025-12-02.
 */

export interface UciItem {
  readonly value: string;
  /** Line of the command that gave the value, 1-based. */
  readonly line: number;
}

/** `option NAME 'VALUE'`. The value is never empty: an empty option counts as absent. */
export interface UciScalar {
  readonly kind: "option";
  readonly name: string;
  readonly value: string;
  /** Line of the command that gave the value, 1-based. */
  readonly line: number;
  /** Lines of the commands before it, which it overrides. */
  readonly overridden: readonly number[];
}

/** `list NAME 'VALUE'`, at least one of them. */
export interface UciList {
  readonly kind: "list";
  readonly name: string;
  readonly items: readonly UciItem[];
  /** Line of its first item. */
  readonly line: number;
  /** Lines of `option` commands that a later command overrides. */
  readonly overridden: readonly number[];
}

export type UciOption = UciScalar | UciList;

export interface UciSection {
  readonly type: string;
  /** For one without a name, what uci generates: `cfg01b618`. */
  readonly name: string;
  readonly anonymous: boolean;
  readonly options: readonly UciOption[];
  /** Line of its `config`, 1-based. */
  readonly line: number;
  /** Lines of further `config` commands with the same name, whose options were merged into it. */
  readonly reopened: readonly number[];
}

export interface UciPackage {
  readonly sections: readonly UciSection[];
}

/** A text that uci refuses. The message is what the command line prints, without `uci: `. */
export class UciError extends Error {
  override readonly name = "UciError";
  /** What is wrong, in uci's words; without the place. */
  readonly reason: string;
  /** Line on which the refused command starts, 1-based. uci's own count, in the message, is that of whole lines read. */
  readonly line: number;
  constructor(message: string, reason: string, line: number) {
    super(message);
    this.reason = reason;
    this.line = line;
  }
}
